# What clients ask and providers answer, for the data sections of tests:
#
#     --- upstream eval
#     whole(openai_text('Hello'))
#     --- request eval
#     ask_openai('/v1/chat/completions', '"stream":true')
#
# Bytes of HTTP:
#
#   whole(BODY, STATUS, HEADER...)   an answer with Content-Length;
#                                    "200 OK" if no STATUS is given
#   stream(PIECE...)                 an event stream, each piece a chunk and
#                                    a packet of its own
#   cut(PIECE...)                    the same, but it breaks off after them
#   chunk(TEXT)                      one chunk
#   ndjson(STREAM)                   what stream() and cut() give, as lines of
#                                    JSON
#
# Bodies:
#
#   openai_text(TEXT), anthropic_text(TEXT)          an answer
#   openai_error(TYPE, MESSAGE), anthropic_error(..) an error
#   openai_stream(TEXT...)           frames, a delta for each text, no usage
#   openai_usage()                   the frame with the usage
#   anthropic_stream(TEXT...)        frames
#   ollama_line(MESSAGE, MEMBER...)  a line of a stream, or, with '"done":true',
#                                    an answer
#   cohere_event(TYPE, MEMBERS)      a frame
#
# Requests:
#
#   ask_openai(PATH, MEMBER...)      of the model "m", with more members
#   ask_anthropic(PATH, MEMBER...)
package LLMAnswers;

use strict;
use warnings;

use Exporter ();

our @ISA = 'Exporter';
our @EXPORT = qw(whole stream cut chunk openai_text anthropic_text
    openai_error anthropic_error openai_stream openai_usage openai_chunk
    anthropic_stream anthropic_event ndjson ollama_line cohere_event ask_at
    ask_openai ask_anthropic $Done);

# For the test file, and for "eval" in its data sections, which runs in a
# package of Test::Base's.
sub import {
    my ($class) = @_;
    $class->export_to_level(1, $class);
    $class->Exporter::export('Test::Base::Filter', @EXPORT);
}

our $Done = "data: [DONE]\n\n";

sub whole {
    my ($body, $status, @headers) = @_;
    $status //= '200 OK';
    unshift @headers, 'Content-Type: application/json'
        if !grep { /^content-type:/i } @headers;
    return join("\r\n", "HTTP/1.1 $status", @headers,
        'Content-Length: ' . length $body, '', '') . $body;
}

sub chunk {
    return sprintf("%x\r\n%s\r\n", length $_[0], $_[0]);
}

sub cut {
    my ($first, @rest) = @_;
    return ["HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        . "Transfer-Encoding: chunked\r\n\r\n"
        . (defined $first ? chunk($first) : ''), map { chunk($_) } @rest];
}

sub stream {
    my $parts = cut(@_);
    $parts->[-1] .= "0\r\n\r\n";
    return $parts;
}

sub ndjson {
    my ($parts) = @_;
    $parts->[0] =~ s{text/event-stream}{application/x-ndjson};
    return $parts;
}

sub ollama_line {
    my ($message, @members) = @_;
    @members = ('"done":false') if !@members;
    return join(',', '{"model":"llama3.2:latest",'
        . '"created_at":"2023-11-14T22:13:20.5Z",'
        . qq("message":$message), @members) . "}\n";
}

sub cohere_event {
    my ($type, $members) = @_;
    $members = defined $members ? ",$members" : '';
    return qq(event: $type\ndata: {"type":"$type"$members}\n\n);
}

sub openai_text {
    my ($text) = @_;
    return '{"id":"c1","object":"chat.completion","created":1700000000,'
        . '"model":"gpt-4o-2024-08-06","choices":[{"index":0,"message":'
        . qq({"role":"assistant","content":"$text","refusal":null},)
        . '"logprobs":null,"finish_reason":"stop"}],"usage":'
        . '{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}}';
}

sub anthropic_text {
    my ($text) = @_;
    return '{"id":"msg_1","type":"message","role":"assistant",'
        . '"model":"claude-sonnet-4-5-20250929","content":[{"type":"text",'
        . qq("text":"$text"}],"stop_reason":"end_turn","stop_sequence":null,)
        . '"usage":{"input_tokens":9,"output_tokens":4}}';
}

sub openai_error {
    my ($type, $message) = @_;
    return qq({"error":{"message":"$message","type":"$type","param":null,)
        . '"code":null}}';
}

sub anthropic_error {
    my ($type, $message) = @_;
    return qq({"type":"error","error":{"type":"$type",)
        . qq("message":"$message"}});
}

sub openai_chunk {
    my ($delta, $finish) = @_;
    $finish = defined $finish ? qq("$finish") : 'null';
    return 'data: {"id":"c1","object":"chat.completion.chunk",'
        . '"created":1700000000,"model":"gpt-4o-2024-08-06","choices":'
        . qq([{"index":0,"delta":$delta,"finish_reason":$finish}]}\n\n);
}

sub openai_stream {
    return openai_chunk('{"role":"assistant","content":""}'),
        (map { openai_chunk(qq({"content":"$_"})) } @_),
        openai_chunk('{}', 'stop');
}

sub openai_usage {
    return 'data: {"id":"c1","object":"chat.completion.chunk",'
        . '"created":1700000000,"model":"gpt-4o-2024-08-06","choices":[],'
        . '"usage":{"prompt_tokens":9,"completion_tokens":4,'
        . qq("total_tokens":13}}\n\n);
}

sub anthropic_event {
    my ($type, $members) = @_;
    $members = defined $members ? ",$members" : '';
    return qq(event: $type\ndata: {"type":"$type"$members}\n\n);
}

sub anthropic_stream {
    return anthropic_event('message_start', '"message":{"id":"msg_1",'
            . '"type":"message","role":"assistant",'
            . '"model":"claude-sonnet-4-5-20250929","content":[],'
            . '"stop_reason":null,"stop_sequence":null,'
            . '"usage":{"input_tokens":9,"output_tokens":1}}'),
        anthropic_event('content_block_start',
            '"index":0,"content_block":{"type":"text","text":""}'),
        (map { anthropic_event('content_block_delta',
            qq("index":0,"delta":{"type":"text_delta","text":"$_"})) } @_),
        anthropic_event('content_block_stop', '"index":0'),
        anthropic_event('message_delta', '"delta":{"stop_reason":"end_turn",'
            . '"stop_sequence":null},"usage":{"output_tokens":4}'),
        anthropic_event('message_stop');
}

sub ask_at {
    my ($path, @members) = @_;
    return "POST $path\n{" . join(',', '"model":"m"',
        '"messages":[{"role":"user","content":"Hi"}]', @members) . '}';
}

sub ask_openai {
    my ($path, @members) = @_;
    return ask_at($path // '/v1/chat/completions', @members);
}

sub ask_anthropic {
    my ($path, @members) = @_;
    return ask_at($path // '/v1/messages', '"max_tokens":50', @members);
}

1;
