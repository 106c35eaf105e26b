#include "engine/gguf.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "engine/gguf_types.hpp"

namespace meshai::engine {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied out of the file as they stand");

constexpr std::uint64_t max_header = 64 << 20;
constexpr std::uint64_t max_keys = 1 << 16, max_tensors = 1 << 20;
constexpr std::uint64_t max_key = (1 << 16) - 1;  // the format's own bound
constexpr std::uint64_t max_tensor_name = 1024;
constexpr std::uint64_t max_text = 200;  // kept of a text value; only short ones are of interest

enum class value_type : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, text, array, u64, i64, f64 };

std::optional<unsigned> width_of(value_type type) {
  switch (type) {
    case value_type::u8:
    case value_type::i8:
    case value_type::boolean:
      return 1;
    case value_type::u16:
    case value_type::i16:
      return 2;
    case value_type::u32:
    case value_type::i32:
    case value_type::f32:
      return 4;
    case value_type::u64:
    case value_type::i64:
    case value_type::f64:
      return 8;
    default:
      return std::nullopt;
  }
}

bool is_integer(value_type type) {
  return width_of(type) && type != value_type::f32 && type != value_type::f64;
}

// What is kept of a value.
struct value {
  value_type type{};
  std::uint64_t number = 0;  // an integer; of an array of integers the sum
  std::uint64_t count = 0;   // of an array
  std::string text;
};
using values = std::map<std::string, value, std::less<>>;

std::unexpected<error> bad(std::string what) {
  return fail(error_kind::malformed, std::move(what));
}

constexpr std::string_view again = "; download the file again";

std::unexpected<error> truncated(std::string_view where, std::uint64_t needed, std::uint64_t size) {
  return bad(fmt::format("the file is truncated: {} ends at byte {}, the file has {} bytes{}", where, needed, size,
                         again));
}

// Text out of a file is shown to people and written as JSON: one line of valid ASCII or nothing odd.
std::string printable(std::string_view text) {
  std::string out(text.substr(0, max_text));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '?';
  }
  return out;
}

// Reads forward through a window, so that headers of any size need little memory.
class cursor {
 public:
  explicit cursor(byte_source& from) : from_(from), size_(from.size()) {}

  std::uint64_t position() const { return position_; }

  // Steps over `count` bytes that belong to `what`.
  result<void> skip(std::uint64_t count, std::string_view what) {
    if (count > size_ - position_) {
      const auto end = count > UINT64_MAX - position_ ? UINT64_MAX : position_ + count;
      return truncated(what, end, size_);
    }
    if (position_ + count > max_header)
      return bad(fmt::format("the header is longer than {} MB ({}); this is no model that can be used",
                             max_header >> 20, what));
    position_ += count;
    return {};
  }

  result<void> read(std::span<std::byte> into, std::string_view what) {
    const auto start = position_;
    if (auto ok = skip(into.size(), what); !ok) return ok;
    if (start < window_start_ || position_ > window_start_ + window_.size()) {
      window_.resize(std::min<std::uint64_t>(std::max<std::uint64_t>(window_size, into.size()), size_ - start));
      window_start_ = start;
      if (auto ok = from_.read(start, window_); !ok) return ok;
    }
    std::memcpy(into.data(), window_.data() + (start - window_start_), into.size());
    return {};
  }

  template <class Number>
  result<Number> number(std::string_view what) {
    std::array<std::byte, sizeof(Number)> bytes;
    if (auto ok = read(bytes, what); !ok) return std::unexpected(ok.error());
    return std::bit_cast<Number>(bytes);
  }

  // A length and that many bytes, of which at most `keep` are returned.
  result<std::string> text(std::uint64_t keep, std::string_view what) {
    auto length = number<std::uint64_t>(what);
    if (!length) return std::unexpected(length.error());
    std::string out(std::min(*length, std::min(keep, size_)), '\0');
    if (auto ok = read(std::as_writable_bytes(std::span(out)), what); !ok) return std::unexpected(ok.error());
    if (auto ok = skip(*length - out.size(), what); !ok) return std::unexpected(ok.error());
    return out;
  }

 private:
  static constexpr std::uint64_t window_size = 64 << 10;
  byte_source& from_;
  std::uint64_t size_;
  std::uint64_t position_ = 0;
  std::vector<std::byte> window_;
  std::uint64_t window_start_ = 0;
};

struct preamble {
  std::uint32_t version = 0;
  std::uint64_t tensors = 0, keys = 0;
};

// What people hand over by mistake.
std::string name_of_other(std::string_view start) {
  if (start.starts_with("version https"))
    return "a Git LFS pointer, not the model itself; fetch it with git lfs pull";
  if (start.starts_with('<')) return "a web page, not a model; download the file itself";
  if (start.starts_with("PK\x03\x04")) return "a ZIP archive or a PyTorch file; models are read as GGUF";
  if (start.starts_with("lmgg") || start.starts_with("tjgg") || start.starts_with("fmgg"))
    return "a GGML file of before 2023; look for a GGUF of the same model";
  if (start.size() > 8 && start.substr(8).starts_with("{\""))
    return "a safetensors file; convert it to GGUF first";
  return "something else; models are read as GGUF";
}

result<preamble> read_preamble(cursor& at, byte_source& from) {
  std::array<char, 16> start{};
  const auto shown = std::min<std::uint64_t>(start.size(), from.size());
  if (shown == 0) return bad(fmt::format("the file is empty{}", again));
  if (auto ok = from.read(0, std::as_writable_bytes(std::span(start).first(shown))); !ok)
    return std::unexpected(ok.error());
  if (std::string_view(start.data(), shown).substr(0, 4) != "GGUF")
    return bad("this is not a GGUF file but " + name_of_other({start.data(), shown}));
  if (auto ok = at.skip(4, "the first four bytes"); !ok) return std::unexpected(ok.error());
  const auto version = at.number<std::uint32_t>("the version");
  if (!version) return std::unexpected(version.error());
  if ((*version & 0xffff) == 0 && *version != 0)
    return bad("this GGUF file is big-endian; look for the little-endian one of the same model");
  if (*version < 2 || *version > 3)
    return bad(
        fmt::format("GGUF version {} is not read, only 2 and 3 are; {}", *version,
                    *version < 2 ? "look for a newer file of the same model" : "a newer meshai may read it"));
  const auto tensors = at.number<std::uint64_t>("the number of tensors");
  if (!tensors) return std::unexpected(tensors.error());
  const auto keys = at.number<std::uint64_t>("the number of keys");
  if (!keys) return std::unexpected(keys.error());
  if (*tensors > max_tensors || *keys > max_keys)
    return bad(fmt::format("the header claims {} tensors and {} keys, which no model has: the file is damaged{}",
                           *tensors, *keys, again));
  return preamble{*version, *tensors, *keys};
}

// An integer of any width, sign-extended.
result<std::uint64_t> read_integer(cursor& at, value_type type, const std::string& key) {
  std::array<std::byte, 8> bytes{};
  const auto width = *width_of(type);
  if (auto ok = at.read(std::span(bytes).first(width), key); !ok) return std::unexpected(ok.error());
  const auto number = std::bit_cast<std::uint64_t>(bytes);
  const bool is_signed = type == value_type::i8 || type == value_type::i16 || type == value_type::i32;
  const auto unused = 64 - 8 * width;
  return is_signed ? static_cast<std::uint64_t>(static_cast<std::int64_t>(number << unused) >> unused) : number;
}

result<value> read_array(cursor& at, const std::string& key) {
  const auto type = at.number<std::uint32_t>(key);
  if (!type) return std::unexpected(type.error());
  const auto count = at.number<std::uint64_t>(key);
  if (!count) return std::unexpected(count.error());
  value out{.type = value_type::array, .count = *count, .text = {}};
  const auto element = static_cast<value_type>(*type);
  if (element == value_type::text) {
    // Each string takes 8 bytes at least, so the end of the file bounds this loop.
    for (std::uint64_t i = 0; i < *count; ++i) {
      if (auto text = at.text(0, key); !text) return std::unexpected(text.error());
    }
    return out;
  }
  const auto width = width_of(element);
  if (!width)
    return bad(fmt::format("key '{}' is an array of type {}, which does not exist: the file is damaged{}", key,
                           *type, again));
  constexpr std::uint64_t most_layers = 4096;  // arrays worth a sum have one number per layer
  if (is_integer(element) && *count <= most_layers) {
    for (std::uint64_t i = 0; i < *count; ++i) {
      const auto number = read_integer(at, element, key);
      if (!number) return std::unexpected(number.error());
      out.number += *number;
    }
    return out;
  }
  const auto bytes = *count > UINT64_MAX / *width ? UINT64_MAX : *count * *width;
  if (auto ok = at.skip(bytes, key); !ok) return std::unexpected(ok.error());
  return out;
}

result<value> read_value(cursor& at, const std::string& key) {
  const auto number = at.number<std::uint32_t>(key);
  if (!number) return std::unexpected(number.error());
  const auto type = static_cast<value_type>(*number);
  if (type == value_type::array) return read_array(at, key);
  value out{.type = type, .text = {}};
  if (type == value_type::text) {
    auto text = at.text(max_text, key);
    if (!text) return std::unexpected(text.error());
    out.text = std::move(*text);
  } else if (is_integer(type)) {
    const auto integer = read_integer(at, type, key);
    if (!integer) return std::unexpected(integer.error());
    out.number = *integer;
  } else if (const auto width = width_of(type)) {
    if (auto ok = at.skip(*width, key); !ok) return std::unexpected(ok.error());
  } else {
    return bad(
        fmt::format("key '{}' has type {}, which does not exist: the file is damaged{}", key, *number, again));
  }
  return out;
}

result<values> read_values(cursor& at, std::uint64_t count) {
  values out;
  for (std::uint64_t i = 0; i < count; ++i) {
    auto key = at.text(max_key + 1, "a key");
    if (!key) return std::unexpected(key.error());
    if (key->empty() || key->size() > max_key)
      return bad(fmt::format("key {} has a length of {} bytes: the file is damaged{}", i, key->size(), again));
    *key = printable(*key);
    auto read = read_value(at, *key);
    if (!read) return std::unexpected(read.error());
    if (!out.emplace(*key, std::move(*read)).second)
      return bad(fmt::format("key '{}' stands there twice: the file is damaged{}", *key, again));
  }
  return out;
}

struct weights {
  std::uint64_t count = 0;  // of all tensors
  std::uint64_t data = 0;   // bytes of tensor data, padding included
  std::uint64_t end = 0;    // of the last tensor; its padding need not be there
  std::string_view most;    // the type of most weights
};

// One tensor's shape: the number of its weights.
result<std::uint64_t> read_shape(cursor& at, const std::string& name, std::uint64_t& row) {
  const auto dimensions = at.number<std::uint32_t>("a tensor's shape");
  if (!dimensions) return std::unexpected(dimensions.error());
  if (*dimensions == 0 || *dimensions > 4)
    return bad(fmt::format("tensor '{}' has {} dimensions: the file is damaged{}", name, *dimensions, again));
  std::uint64_t count = 1;
  for (std::uint32_t d = 0; d < *dimensions; ++d) {
    const auto length = at.number<std::uint64_t>("a tensor's shape");
    if (!length) return std::unexpected(length.error());
    constexpr std::uint64_t most = std::uint64_t{1} << 48;  // weights; far beyond any model, far below overflow
    if (*length == 0 || *length > most || count > most / *length)
      return bad(fmt::format("tensor '{}' has an impossible shape: the file is damaged{}", name, again));
    if (d == 0) row = *length;
    count *= *length;
  }
  return count;
}

result<weights> read_tensors(cursor& at, std::uint64_t count, std::uint64_t alignment) {
  weights out;
  std::map<std::string_view, std::uint64_t> by_type;
  bool sizes_known = true;
  for (std::uint64_t i = 0; i < count; ++i) {
    auto name = at.text(max_tensor_name + 1, "a tensor's name");
    if (!name) return std::unexpected(name.error());
    if (name->size() > max_tensor_name)
      return bad(fmt::format("tensor {} has an endless name: the file is damaged{}", i, again));
    *name = printable(*name);
    std::uint64_t row = 0;
    const auto elements = read_shape(at, *name, row);
    if (!elements) return std::unexpected(elements.error());
    const auto number = at.number<std::uint32_t>("a tensor's type");
    if (!number) return std::unexpected(number.error());
    const auto offset = at.number<std::uint64_t>("a tensor's place");
    if (!offset) return std::unexpected(offset.error());
    out.count += *elements;

    const auto type = find_tensor_type(*number);
    if (!type && *number <= newest_tensor_type)
      return bad(
          fmt::format("tensor '{}' has type {}, which is not in use; look for a newer file of the same model",
                      *name, *number));
    sizes_known = sizes_known && type;
    if (!sizes_known) continue;
    if (row % type->block != 0)
      return bad(fmt::format("the rows of tensor '{}' do not fit its type {}: the file is damaged{}", *name,
                             type->name, again));
    if (*offset != out.data)
      return bad(fmt::format("tensor '{}' stands at byte {} of the data instead of {}: the file is damaged{}",
                             *name, *offset, out.data, again));
    const auto bytes = *elements / type->block * type->bytes;
    out.end = out.data + bytes;
    out.data += (bytes + alignment - 1) / alignment * alignment;
    by_type[type->name] += *elements;
  }
  const auto most = std::ranges::max_element(by_type, {}, [](const auto& entry) { return entry.second; });
  if (most != by_type.end()) out.most = most->first;
  return out;
}

const value* find(const values& in, std::string_view key) {
  const auto found = in.find(key);
  return found == in.end() ? nullptr : &found->second;
}
std::uint64_t number_of(const values& in, const std::string& key) {
  const auto* found = find(in, key);
  return found && is_integer(found->type) ? found->number : 0;
}
std::string text_of(const values& in, std::string_view key) {
  const auto* found = find(in, key);
  return found && found->type == value_type::text ? printable(found->text) : std::string();
}

// Bytes that one token takes in a KV cache of 16-bit floats. Layers that keep less (a sliding window) are counted
// whole.
std::uint64_t kv_bytes(const values& in, const std::string& arch, const gguf_header& of) {
  if (of.attention_heads == 0) return 0;
  const auto head = of.embedding / of.attention_heads;
  const auto key = number_of(in, arch + ".attention.key_length"),
             val = number_of(in, arch + ".attention.value_length");
  const auto* heads = find(in, arch + ".attention.head_count_kv");
  const auto over_layers = !heads ? of.attention_heads * of.layers
                           : heads->type == value_type::array
                               ? heads->number
                               : number_of(in, arch + ".attention.head_count_kv") * of.layers;
  constexpr std::uint64_t sane = 1 << 30;  // a damaged number must not become a plan for memory
  const auto width = (key ? key : head) + (val ? val : head);
  return over_layers > sane || width > sane ? 0 : 2 * over_layers * width;
}

gguf_header describe(const values& in, const std::string& arch) {
  gguf_header out;
  out.architecture = arch;
  out.type = find(in, "general.type") ? text_of(in, "general.type") : "model";
  out.name = text_of(in, "general.name");
  out.license = text_of(in, "general.license");
  out.tokenizer = text_of(in, "tokenizer.ggml.model");
  out.context = number_of(in, arch + ".context_length");
  out.layers = number_of(in, arch + ".block_count");
  out.embedding = number_of(in, arch + ".embedding_length");
  out.window = number_of(in, arch + ".attention.sliding_window");
  const auto* heads = find(in, arch + ".attention.head_count");
  if (heads && heads->type == value_type::array && heads->count > 0)
    out.attention_heads = heads->number / heads->count;
  else
    out.attention_heads = number_of(in, arch + ".attention.head_count");
  const auto* tokens = find(in, "tokenizer.ggml.tokens");
  out.vocabulary =
      tokens && tokens->type == value_type::array ? tokens->count : number_of(in, arch + ".vocab_size");
  if (const auto* type = find(in, "general.file_type"); type && is_integer(type->type))
    out.quantisation = file_type_name(type->number);
  if (const auto parts = number_of(in, "split.count"); parts > 1) out.parts = parts;
  out.chat_template = find(in, "tokenizer.chat_template") != nullptr;
  out.embeds = number_of(in, arch + ".pooling_type") > 0;
  out.kv_bytes = kv_bytes(in, arch, out);
  return out;
}

class file_source final : public byte_source {
 public:
  file_source(int fd, std::uint64_t size) : fd_(fd), size_(size) {}
  ~file_source() override { ::close(fd_); }
  std::uint64_t size() const override { return size_; }
  result<void> read(std::uint64_t offset, std::span<std::byte> into) override {
    while (!into.empty()) {
      const auto got = ::pread(fd_, into.data(), into.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0)
        return fail(error_kind::refused, fmt::format("the file cannot be read: {}", std::strerror(errno)));
      if (got == 0)
        return bad("the file became shorter while it was read; wait until it is written, then try again");
      into = into.subspan(static_cast<std::size_t>(got));
      offset += static_cast<std::uint64_t>(got);
    }
    return {};
  }

 private:
  int fd_;
  std::uint64_t size_;
};

}  // namespace

result<gguf_header> read_gguf(byte_source& from) {
  cursor at(from);
  const auto start = read_preamble(at, from);
  if (!start) return std::unexpected(start.error());
  const auto keys = read_values(at, start->keys);
  if (!keys) return std::unexpected(keys.error());
  const auto arch = text_of(*keys, "general.architecture");
  if (arch.empty())
    return bad("the header does not say which architecture the model has; look for another file of the model");

  std::uint64_t alignment = 32;
  if (const auto* said = find(*keys, "general.alignment")) {
    alignment = said->number;
    if (said->type != value_type::u32 || alignment < 8 || alignment > (1 << 20) || !std::has_single_bit(alignment))
      return bad(fmt::format("general.alignment is not a power of two from 8 up: the file is damaged{}", again));
  }
  const auto tensors = read_tensors(at, start->tensors, alignment);
  if (!tensors) return std::unexpected(tensors.error());
  const auto data = (at.position() + alignment - 1) / alignment * alignment;
  if (tensors->end > 0 && data + tensors->end > from.size())
    return truncated("its last tensor", data + tensors->end, from.size());

  auto out = describe(*keys, arch);
  out.version = start->version;
  out.tensors = start->tensors;
  out.parameters = tensors->count;
  out.file_size = from.size();
  if (out.quantisation.empty()) out.quantisation = tensors->most;
  return out;
}

result<gguf_header> read_gguf(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe must not hold us up
  if (fd < 0)
    return fail(error_kind::refused, fmt::format("cannot open {}: {}", file.string(), std::strerror(errno)));
  struct stat what{};
  const bool regular = ::fstat(fd, &what) == 0 && S_ISREG(what.st_mode);
  file_source source(fd, regular ? static_cast<std::uint64_t>(what.st_size) : 0);
  if (!regular) return fail(error_kind::refused, fmt::format("{} is not a file", file.string()));
  auto read = read_gguf(source);
  if (!read) return fail(read.error().kind, fmt::format("{}: {}", file.string(), read.error().detail));
  return read;
}

std::string parameter_count(std::uint64_t parameters) {
  const auto number = static_cast<double>(parameters);
  if (number >= 99.5e9) return fmt::format("{:.0f}B", number / 1e9);
  if (number >= 0.95e9) return fmt::format("{:.1f}B", number / 1e9);
  if (number >= 1e6) return fmt::format("{:.0f}M", number / 1e6);
  return fmt::format("{}", parameters);
}

}  // namespace meshai::engine
