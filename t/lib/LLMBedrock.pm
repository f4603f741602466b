# What AWS Bedrock's clients ask and its providers answer, in the manner of
# LLMAnswers:
#
#   bedrock_text(TEXT)               an answer
#   bedrock_event(TYPE, PAYLOAD)     a message of an event stream
#   bedrock_exception(TYPE, PAYLOAD)
#   bedrock_chunk(EVENT)             one of InvokeModelWithResponseStream, with
#                                    the JSON of an event of the model's API
#   bedrock_stream(TEXT...)          messages, a delta for each text
#   ask_bedrock(PATH, MEMBER...)     with more members
#   as_events(LIST)                  whole(), stream() or cut() of LLMAnswers
#                                    as an AWS event stream
package LLMBedrock;

use strict;
use warnings;

use Compress::Raw::Zlib ();
use Exporter ();
use MIME::Base64 ();

our @ISA = 'Exporter';
our @EXPORT = qw(bedrock_text bedrock_event bedrock_exception bedrock_chunk bedrock_stream
    ask_bedrock as_events);

# See LLMAnswers.
sub import {
    my ($class) = @_;
    $class->export_to_level(1, $class);
    $class->Exporter::export('Test::Base::Filter', @EXPORT);
}

sub message {
    my ($payload, @headers) = @_;
    my $head = '';
    while (my ($name, $value) = splice @headers, 0, 2) {
        $head .= pack 'C/a C n/a', $name, 7, $value;
    }
    my $bytes = pack 'NN', 16 + length($head) + length $payload, length $head;
    $bytes .= pack 'N', Compress::Raw::Zlib::crc32($bytes);
    $bytes .= $head . $payload;
    return $bytes . pack 'N', Compress::Raw::Zlib::crc32($bytes);
}

sub bedrock_event {
    my ($type, $payload) = @_;
    return message($payload, ':event-type', $type,
        ':content-type', 'application/json', ':message-type', 'event');
}

sub bedrock_exception {
    my ($type, $payload) = @_;
    return message($payload, ':exception-type', $type,
        ':content-type', 'application/json', ':message-type', 'exception');
}

sub bedrock_chunk {
    my ($event) = @_;
    my $bytes = MIME::Base64::encode_base64($event, '');
    return bedrock_event('chunk', qq({"bytes":"$bytes","p":"abcdefgh"}));
}

my $usage = '"usage":{"inputTokens":9,"outputTokens":4,"totalTokens":13}';

sub bedrock_text {
    my ($text) = @_;
    return '{"metrics":{"latencyMs":7},"output":{"message":{"role":'
        . qq("assistant","content":[{"text":"$text"}]}},)
        . qq("stopReason":"end_turn",$usage});
}

sub bedrock_stream {
    return bedrock_event('messageStart', '{"role":"assistant"}'),
        (map { bedrock_event('contentBlockDelta',
            qq({"delta":{"text":"$_"},"contentBlockIndex":0})) } @_),
        bedrock_event('contentBlockStop', '{"contentBlockIndex":0}'),
        bedrock_event('messageStop', '{"stopReason":"end_turn"}'),
        bedrock_event('metadata', qq({$usage,"metrics":{"latencyMs":0}}));
}

sub ask_bedrock {
    my ($path, @members) = @_;
    return "POST $path\n{" . join(',',
        '"messages":[{"role":"user","content":[{"text":"Hi"}]}]', @members)
        . '}';
}

sub as_events {
    my ($answer) = @_;
    $answer->[0] =~ s{text/event-stream}{application/vnd.amazon.eventstream};
    return $answer;
}

1;
