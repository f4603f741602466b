#include "llm/result.hpp"

namespace llm {

namespace {

struct StatusKind {
    int status;
    ErrorKind kind;
};

// RFC 9110 and the error pages of the providers: OpenAI, Anthropic (529),
// Groq (498: no capacity for the flex tier), Hugging Face (424: the model
// failed), Cloudflare (520..524: the origin failed).
constexpr StatusKind kinds[] = {
    {400, ErrorKind::invalid_request},
    {401, ErrorKind::authentication},
    {402, ErrorKind::quota},
    {403, ErrorKind::permission},
    {404, ErrorKind::not_found},
    {408, ErrorKind::timeout},
    {409, ErrorKind::conflict},
    {413, ErrorKind::too_large},
    {422, ErrorKind::invalid_request},
    {424, ErrorKind::server},
    {425, ErrorKind::unavailable},
    {429, ErrorKind::rate_limit},
    {498, ErrorKind::rate_limit},
    {502, ErrorKind::bad_gateway},
    {503, ErrorKind::unavailable},
    {504, ErrorKind::timeout},
    {520, ErrorKind::bad_gateway},
    {521, ErrorKind::unavailable},
    {522, ErrorKind::timeout},
    {523, ErrorKind::unavailable},
    {524, ErrorKind::timeout},
    {529, ErrorKind::overloaded},
};

}  // namespace

int http_status(ErrorKind kind) noexcept {
    switch (kind) {
    case ErrorKind::invalid_request:
    case ErrorKind::unsupported:
        return 400;
    case ErrorKind::authentication:
        return 401;
    case ErrorKind::permission:
        return 403;
    case ErrorKind::not_found:
        return 404;
    case ErrorKind::conflict:
        return 409;
    case ErrorKind::too_large:
        return 413;
    case ErrorKind::quota:
    case ErrorKind::rate_limit:
        return 429;
    case ErrorKind::server:
        return 500;
    case ErrorKind::bad_gateway:
        return 502;
    case ErrorKind::unavailable:
    case ErrorKind::overloaded:
        return 503;
    case ErrorKind::timeout:
        return 504;
    }
    return 500;
}

ErrorKind error_kind_of_status(int status) noexcept {
    for (const StatusKind &row : kinds) {
        if (row.status == status) {
            return row.kind;
        }
    }
    if (status >= 400 && status < 500) {
        return ErrorKind::invalid_request;
    }
    if (status >= 500 && status < 600) {
        return ErrorKind::server;
    }
    return ErrorKind::bad_gateway;
}

}  // namespace llm
