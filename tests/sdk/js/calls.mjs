// Calls the gateway as the official JavaScript SDKs do, and prints what they
// made of its answers: one JSON object a line, {call, ...}. Arguments: the URL
// of a location, and the names of the calls. What is thrown is printed, too.

import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

const [url, ...names] = process.argv.slice(2);
const common = { apiKey: 'client-key', maxRetries: 0, timeout: 20000 };
const openai = new OpenAI({ ...common, baseURL: `${url}/v1` });
const anthropic = new Anthropic({ ...common, baseURL: url });

const ask = [{ role: 'user', content: 'Say hello' }];
const schema = { type: 'object', properties: { city: { type: 'string' } } };
const chatTools = [
    { type: 'function', function: { name: 'get_weather', parameters: schema } },
];
const responseTools = [
    { type: 'function', name: 'get_weather', parameters: schema, strict: false },
];
const anthropicTools = [{ name: 'get_weather', input_schema: schema }];

function called(id, name, text) {
    return { id, name, arguments: JSON.parse(text) };
}

function ofCompletion(completion) {
    const [choice] = completion.choices;
    return {
        text: choice.message.content ?? '',
        calls: (choice.message.tool_calls ?? []).map((call) =>
            called(call.id, call.function.name, call.function.arguments)),
        finish: choice.finish_reason,
        total: completion.usage.total_tokens,
    };
}

function ofResponse(response) {
    return {
        text: response.output_text,
        calls: response.output
            .filter((item) => item.type === 'function_call')
            .map((item) => called(item.call_id, item.name, item.arguments)),
        finish: response.status,
        total: response.usage.total_tokens,
    };
}

function ofMessage(message) {
    const of = (type) => message.content.filter((b) => b.type === type);
    return {
        text: of('text').map((block) => block.text).join(''),
        calls: of('tool_use').map((block) => ({
            id: block.id, name: block.name, arguments: block.input,
        })),
        finish: message.stop_reason,
        total: message.usage.input_tokens + message.usage.output_tokens
            + (message.usage.cache_read_input_tokens ?? 0),
    };
}

const calls = {
    async chat() {
        return ofCompletion(await openai.chat.completions.create({
            model: 'm', messages: ask, tools: chatTools,
        }));
    },
    async chat_stream() {
        const stream = openai.chat.completions.stream({
            model: 'm', messages: ask, tools: chatTools,
            stream_options: { include_usage: true },
        });
        let deltas = 0;
        stream.on('content', () => { deltas += 1; });
        const said = ofCompletion(await stream.finalChatCompletion());
        return { ...said, deltas };
    },
    async responses() {
        return ofResponse(await openai.responses.create({
            model: 'm', input: 'Say hello', tools: responseTools,
        }));
    },
    async responses_stream() {
        const stream = openai.responses.stream({
            model: 'm', input: 'Say hello', tools: responseTools,
        });
        let deltas = 0;
        stream.on('response.output_text.delta', () => { deltas += 1; });
        return { ...ofResponse(await stream.finalResponse()), deltas };
    },
    async completions() {
        const answer = await openai.completions.create({
            model: 'm', prompt: 'Once',
        });
        const [choice] = answer.choices;
        return {
            text: choice.text, calls: [], finish: choice.finish_reason,
            total: answer.usage.total_tokens,
        };
    },
    async messages() {
        return ofMessage(await anthropic.messages.create({
            model: 'm', max_tokens: 50, messages: ask, tools: anthropicTools,
        }));
    },
    async messages_stream() {
        const stream = anthropic.messages.stream({
            model: 'm', max_tokens: 50, messages: ask, tools: anthropicTools,
        });
        let deltas = 0;
        stream.on('text', () => { deltas += 1; });
        return { ...ofMessage(await stream.finalMessage()), deltas };
    },
};

for (const name of names) {
    let result;
    try {
        result = await calls[name]();
    } catch (error) {
        result = {
            error: error.constructor.name,
            status: error.status ?? null,
            message: error.message,
        };
    }
    console.log(JSON.stringify({ call: name, ...result }));
}
