// hiredis' reader with replies of our own. It knows two signatures of
// createArray and, since 1.0, types of RESP3, which are none here.
#include <hiredis/read.h>

#include <cstring>
#include <new>

#include "llm/redis.hpp"

namespace llm::redis {

namespace {

// A status, an error or a number has a line; these are never longer.
constexpr std::size_t max_line = 65536;

}  // namespace

struct Reader::Builder {
    static Reader &reader(const redisReadTask *task) noexcept {
        return *static_cast<Reader *>(task->privdata);
    }

    // The place of the value that was read: the reply, or the next element of
    // the array that it is in, which has its size already.
    static Reply *place(const redisReadTask *task) noexcept {
        if (task->parent == nullptr) {
            return &reader(task).root_;
        }
        auto *array = static_cast<Reply *>(task->parent->obj);
        return &array->elements[static_cast<std::size_t>(task->idx)];
    }

    static void *refuse(const redisReadTask *task,
                        std::string_view reason) noexcept {
        reader(task).error_ = reason;
        return nullptr;
    }

    static void *create_string(const redisReadTask *task, char *text,
                               std::size_t size) noexcept try {
        auto *reply = place(task);
        switch (task->type) {
        case REDIS_REPLY_STRING:
            reply->type = Reply::Type::string;
            break;
        case REDIS_REPLY_STATUS:
            reply->type = Reply::Type::status;
            break;
        case REDIS_REPLY_ERROR:
            reply->type = Reply::Type::error;
            break;
        default:
            return refuse(task, "a reply of RESP3, which was not asked for");
        }
        reply->text.assign(text, size);
        return reply;
    } catch (const std::bad_alloc &) {
        return refuse(task, "no memory for a reply");
    }

    // int up to hiredis 0.14, std::size_t since 1.0.
    template <typename Count>
    static void *create_array(const redisReadTask *task,
                              Count count) noexcept try {
        if (task->type != REDIS_REPLY_ARRAY) {
            return refuse(task, "a reply of RESP3, which was not asked for");
        }
        int depth = 1;
        for (auto *parent = task->parent; parent; parent = parent->parent) {
            ++depth;
        }
        if (depth > max_depth) {
            return refuse(task, "a reply with too many levels");
        }

        // Before anything is allocated for what is only announced.
        auto &self = reader(task);
        auto elements = static_cast<std::size_t>(count);
        if (elements > (self.max_reply_ - self.elements_) / sizeof(Reply)) {
            return refuse(task, "a reply that is too large");
        }
        self.elements_ += elements * sizeof(Reply);

        auto *reply = place(task);
        reply->type = Reply::Type::array;
        reply->elements.resize(elements);
        return reply;
    } catch (const std::bad_alloc &) {
        return refuse(task, "no memory for a reply");
    }

    static void *create_integer(const redisReadTask *task,
                                long long value) noexcept {
        auto *reply = place(task);
        reply->type = Reply::Type::integer;
        reply->integer = value;
        return reply;
    }

    static void *create_nil(const redisReadTask *task) noexcept {
        return place(task);
    }

    // What hiredis 1.0 has more; never asked for.
    template <typename... Args>
    static void *create_other(const redisReadTask *task, Args...) noexcept {
        return refuse(task, "a reply of RESP3, which was not asked for");
    }

    // The values are the reader's own.
    static void release(void *) noexcept {}

    template <typename Functions>
    static Functions make() noexcept {
        Functions functions{};
        functions.createString = create_string;
        functions.createArray = create_array;
        functions.createInteger = create_integer;
        functions.createNil = create_nil;
        functions.freeObject = release;
        if constexpr (requires { functions.createDouble; }) {
            functions.createDouble = create_other;
            functions.createBool = create_other;
        }
        return functions;
    }
};

struct Reader::Protocol {
    Protocol() noexcept
        : functions(Builder::make<redisReplyObjectFunctions>()),
          reader(redisReaderCreateWithFunctions(&functions)) {}
    ~Protocol() {
        if (reader) {
            redisReaderFree(reader);
        }
    }

    redisReplyObjectFunctions functions;
    redisReader *reader;
};

Reader::Reader(std::size_t max_reply) noexcept
    : protocol_(new (std::nothrow) Protocol), max_reply_(max_reply) {
    if (protocol_ && protocol_->reader) {
        protocol_->reader->privdata = this;
    } else {
        protocol_.reset();
        error_ = "no memory for a reply";
    }
}

Reader::~Reader() = default;

Reader::Step Reader::fail(std::string_view reason) noexcept {
    if (error_.empty()) {
        error_ = reason;
    }
    return Step::failed;
}

// Bytes that no reply was made of yet.
std::size_t Reader::unread() const noexcept {
    return protocol_->reader->len - protocol_->reader->pos;
}

// Else hiredis would look for its end anew whenever something comes.
bool Reader::has_endless_line() const noexcept {
    return unread() > max_line
           && std::memchr(protocol_->reader->buf + protocol_->reader->pos,
                          '\n', max_line)
                  == nullptr;
}

bool Reader::feed(std::string_view bytes) noexcept {
    if (!error_.empty()
        || redisReaderFeed(protocol_->reader, bytes.data(), bytes.size())
               != REDIS_OK)
    {
        (void)fail("no memory for a reply");
        return false;
    }
    fed_ += bytes.size();
    return true;
}

Reader::Step Reader::next(Reply &reply) noexcept {
    if (!error_.empty()) {
        return Step::failed;
    }

    void *object = nullptr;
    if (redisReaderGetReply(protocol_->reader, &object) != REDIS_OK) {
        return fail("no valid reply");
    }
    if (object == nullptr) {
        if (fed_ - start_ > max_reply_) {
            return fail("a reply that is too large");
        }
        return has_endless_line() ? fail("a line that does not end")
                                  : Step::more;
    }

    auto end = fed_ - unread();
    if (end - start_ > max_reply_) {
        return fail("a reply that is too large");
    }
    start_ = end;
    elements_ = 0;
    reply = std::move(root_);
    root_ = Reply();
    return Step::reply;
}

}  // namespace llm::redis
