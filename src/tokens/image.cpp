// Sizes of images, from their headers: PNG (RFC 2083, section 3.2), GIF89a
// section 18, JPEG (ITU T.81, B.2.2), WebP (RFC 9649, section 2). And what
// providers charge for them.
#include <algorithm>
#include <cmath>

#include "llm/tokens.hpp"
#include "tokens/pattern.hpp"

namespace llm::tokens {

namespace {

class Bytes {
public:
    explicit Bytes(std::string_view text) noexcept : text_(text) {}

    std::int64_t operator[](std::size_t i) const noexcept {
        return i < text_.size() ? static_cast<unsigned char>(text_[i]) : 0;
    }
    std::int64_t big(std::size_t i, std::size_t size) const noexcept {
        std::int64_t value = 0;
        for (std::size_t k = 0; k < size; k++) {
            value = value << 8 | (*this)[i + k];
        }
        return value;
    }
    std::int64_t little(std::size_t i, std::size_t size) const noexcept {
        std::int64_t value = 0;
        for (std::size_t k = size; k-- > 0;) {
            value = value << 8 | (*this)[i + k];
        }
        return value;
    }

private:
    std::string_view text_;
};

ImageSize jpeg(std::string_view text) noexcept {
    const Bytes bytes(text);
    std::size_t i = 2;
    while (i + 9 <= text.size() && bytes[i] == 0xFF) {
        const std::int64_t marker = bytes[i + 1];
        if (marker == 0xFF) {           // fill
            i++;
            continue;
        }
        // SOF0 .. SOF15, without DHT, JPG and DAC.
        if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 &&
            marker != 0xC8 && marker != 0xCC) {
            return {bytes.big(i + 7, 2), bytes.big(i + 5, 2)};
        }
        const std::int64_t size = bytes.big(i + 2, 2);
        if (size < 2) {
            break;
        }
        i += 2 + static_cast<std::size_t>(size);
    }
    return {};
}

ImageSize webp(std::string_view text) noexcept {
    const Bytes bytes(text);
    const std::string_view chunk = text.substr(12, 4);
    if (chunk == "VP8 " && text.size() >= 30) {
        return {bytes.little(26, 2) & 0x3FFF, bytes.little(28, 2) & 0x3FFF};
    }
    if (chunk == "VP8L" && text.size() >= 25) {
        const std::int64_t bits = bytes.little(21, 4);
        return {(bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1};
    }
    if (chunk == "VP8X" && text.size() >= 30) {
        return {bytes.little(24, 3) + 1, bytes.little(27, 3) + 1};
    }
    return {};
}

ImageSize any_size(std::string_view text) noexcept {
    const Bytes bytes(text);
    if (text.starts_with("\x89PNG\r\n\x1a\n") && text.size() >= 24) {
        return {bytes.big(16, 4), bytes.big(20, 4)};
    }
    if ((text.starts_with("GIF87a") || text.starts_with("GIF89a")) &&
        text.size() >= 10) {
        return {bytes.little(6, 2), bytes.little(8, 2)};
    }
    if (text.starts_with("\xFF\xD8")) {
        return jpeg(text);
    }
    if (text.starts_with("RIFF") && text.size() >= 16 &&
        text.substr(8, 4) == "WEBP") {
        return webp(text);
    }
    return {};
}

// What a provider charges for.
enum class Unit : std::uint8_t {
    tile,       // base, and each 512 px tile of it fitted to 2048 and 768
    patch,      // each 32 px patch of it, at most `most`, times `factor`
    area,       // width x height / 750, fitted to `side` px, at most `most`
    crop,       // 258 each tile of 768 px, one tile up to 384 px
    fixed,      // `most`
};

struct Rule {
    std::string_view model;     // a pattern; the first that fits counts
    Unit unit;
    std::int64_t base;
    std::int64_t each;
    std::int64_t most;
    double factor;
    std::int64_t side;
};

// The providers' guides have the rules: OpenAI's "Images and vision",
// Anthropic's "Vision", Google's "Understand and count tokens". The figures
// were checked where others quote or measured them: OpenAI's tiles and patches
// (community.openai.com/t/1262691 and /1281361), and newer models of all three
// (huggingface.co/datasets/JOHNISKING/image-token-cost). Not confirmed:
// gpt-5.2 to 5.4 and the newer Claude's limit, which is too high for images
// beyond 3 megapixels by up to 60 %.
constexpr Rule rules[] = {
    {"gpt-4o-mini*", Unit::tile, 2833, 5667, 0, 1, 0},
    {"gpt-4.1-mini*", Unit::patch, 0, 0, 1536, 1.62, 0},
    {"gpt-4.1-nano*", Unit::patch, 0, 0, 1536, 2.46, 0},
    {"gpt-4*", Unit::tile, 85, 170, 0, 1, 0},
    {"gpt-5-mini*", Unit::patch, 0, 0, 1536, 1.62, 0},
    {"gpt-5-nano*", Unit::patch, 0, 0, 1536, 2.46, 0},
    {"gpt-5-*", Unit::tile, 70, 140, 0, 1, 0},
    {"gpt-5", Unit::tile, 70, 140, 0, 1, 0},
    {"gpt-5.1*", Unit::tile, 70, 140, 0, 1, 0},
    {"gpt-5.2*", Unit::patch, 0, 0, 1536, 1.2, 0},
    {"gpt-5*", Unit::patch, 0, 0, 10000, 1.2, 0},
    {"gpt-*", Unit::patch, 0, 0, 12000, 1.2, 0},
    {"chatgpt-*", Unit::tile, 85, 170, 0, 1, 0},
    {"computer-use*", Unit::tile, 65, 129, 0, 1, 0},
    {"o4-mini*", Unit::patch, 0, 0, 1536, 1.72, 0},
    {"o1*", Unit::tile, 75, 150, 0, 1, 0},
    {"o3*", Unit::tile, 75, 150, 0, 1, 0},
    {"*claude-3*", Unit::area, 0, 0, 1600, 1, 1568},
    {"*claude-haiku-4*", Unit::area, 0, 0, 1600, 1, 1568},
    {"*claude-sonnet-4*", Unit::area, 0, 0, 1600, 1, 1568},
    {"*claude-opus-4-7*", Unit::area, 0, 0, 4784, 1, 2576},
    {"*claude-opus-4-8*", Unit::area, 0, 0, 4784, 1, 2576},
    {"*claude-opus-4*", Unit::area, 0, 0, 1600, 1, 1568},
    {"*claude*", Unit::area, 0, 0, 4784, 1, 2576},
    {"gemini-1*", Unit::crop, 0, 258, 4128, 1, 0},
    {"gemini-2*", Unit::crop, 0, 258, 4128, 1, 0},
    {"gemini*", Unit::fixed, 0, 0, 1120, 1, 0},
    {"gemma*", Unit::fixed, 0, 0, 256, 1, 0},
    {"*", Unit::tile, 85, 170, 0, 1, 0},
};

std::int64_t parts(double length, double part) noexcept {
    return static_cast<std::int64_t>(std::ceil(length / part));
}

std::int64_t tiles(double width, double height) noexcept {
    const double fit = std::min(1.0, 2048 / std::max(width, height));
    width = std::max(1.0, std::floor(width * fit));
    height = std::max(1.0, std::floor(height * fit));
    const double shrink = std::min(1.0, 768 / std::min(width, height));
    return parts(width * shrink, 512) * parts(height * shrink, 512);
}

// Scaled down to `most` patches as the guide has it: first by area, then so
// that one side is a whole number of patches.
std::int64_t patches(double width, double height, std::int64_t most) noexcept {
    if (parts(width, 32) * parts(height, 32) <= most) {
        return parts(width, 32) * parts(height, 32);
    }
    const double scale =
        std::sqrt(static_cast<double>(most) * 32 * 32 / (width * height));
    const double across = width * scale / 32;
    const double down = height * scale / 32;
    const double whole = std::min(std::floor(across) / across,
                                  std::floor(down) / down);
    const double fit = whole > 0 ? whole : 1;
    return std::min(most, parts(across * fit - 1e-9, 1) *
                              parts(down * fit - 1e-9, 1));
}

std::int64_t crops(double width, double height) noexcept {
    if (std::max(width, height) <= 384) {
        return 1;
    }
    return parts(width, 768) * parts(height, 768);
}

}  // namespace

std::optional<ImageSize> image_size(std::string_view bytes) noexcept {
    const ImageSize size = any_size(bytes);
    if (size.width <= 0 || size.height <= 0 || size.width > INT32_MAX ||
        size.height > INT32_MAX) {
        return std::nullopt;
    }
    return size;
}

std::int64_t image_tokens(std::string_view model,
                          std::optional<ImageSize> size,
                          std::string_view detail) noexcept {
    model = bare_model(model);
    const Rule &rule = *std::find_if(
        std::begin(rules), std::end(rules),
        [&](const Rule &r) { return matches(r.model, model); });
    // Unknown: as large as can be. Of all images that fit 2048 and 768 those
    // of 2048 x 768 have most tiles.
    const auto width = static_cast<double>(size ? size->width : 16384);
    const auto height = static_cast<double>(size ? size->height : 16384);

    switch (rule.unit) {
    case Unit::tile:
        if (detail == "low") {
            return rule.base;
        }
        return rule.base +
               rule.each * (size ? tiles(width, height) : tiles(2048, 768));
    case Unit::patch: {
        const auto count =
            size ? patches(width, height, rule.most) : rule.most;
        return static_cast<std::int64_t>(
            std::ceil(static_cast<double>(count) * rule.factor - 1e-9));
    }
    case Unit::area: {
        const double fit = std::min(
            1.0, static_cast<double>(rule.side) / std::max(width, height));
        return std::min(rule.most, parts(width * fit * height * fit, 750));
    }
    case Unit::crop:
        return std::min(rule.most, rule.each * crops(width, height));
    case Unit::fixed:
        break;
    }
    return rule.most;
}

}  // namespace llm::tokens
