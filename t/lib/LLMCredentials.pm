# What the tests of "auth" share: a provider on $TEST_NGINX_UPSTREAM_PORT2 that
# answers with what it was shown, answers of token endpoints for the scripted
# upstream, and keys.
package LLMCredentials;

use strict;
use warnings;

use Exporter ();
use LLMTest;

our @ISA = 'Exporter';
our @EXPORT = qw(answer token provider echo service_account);

# Sections are evaluated over there.
sub import {
    my ($class) = @_;
    $class->export_to_level(1, $class);
    $class->Exporter::export('Test::Base::Filter', @EXPORT);
}

# An HTTP answer for the scripted upstream.
sub answer {
    my ($status, $body) = @_;
    return "HTTP/1.1 $status\r\nContent-Type: application/json\r\n"
        . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
}

# A token, good for so many seconds.
sub token {
    my ($token, $life) = @_;
    $life //= 3600;
    return answer('200 OK', qq({"access_token":"$token","token_type":"Bearer",)
        . qq("expires_in":$life}));
}

# Says the value of a variable as the model's answer.
sub echo {
    my ($variable) = @_;
    $variable //= '$http_authorization';
    return q{
    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2;
        default_type application/json;
        location / {
            return 200 '{"id":"1","object":"chat.completion","created":1,
"model":"m","choices":[{"index":0,"message":{"role":"assistant",
"content":"VALUE"},"finish_reason":"stop"}]}';
        }
    }
} =~ s/VALUE/$variable/r;
}

# A provider there, with these words of "auth".
sub provider {
    my ($name, $auth, $more) = @_;
    $more //= '';
    return qq{
    llm_provider $name {
        format openai;
        url http://127.0.0.1:\$TEST_NGINX_UPSTREAM_PORT2/v1;
        auth $auth;
        $more
    }
};
}

# RFC 7515, appendix A.2.
sub key_file {
    open my $file, '<', "$LLMTest::Root/tests/unit/data/rfc7515-a2.pem"
        or die "open() failed: $!";
    local $/;
    return <$file>;
}

sub service_account {
    my $key = key_file() =~ s/\n/\\n/gr;
    return qq({"type":"service_account","project_id":"p",)
        . qq("private_key_id":"k1","private_key":"$key",)
        . '"client_email":"gateway@p.iam.gserviceaccount.com",'
        . '"token_uri":"https://oauth2.googleapis.com/token"}';
}

1;
