#include "tampering.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace meshai::simulation {
namespace {

constexpr std::string_view last_chunk = "0\r\n\r\n";

// One write of a streamed answer: perhaps a head, perhaps a chunk of whole events, perhaps the end.
struct frame {
  std::string head;
  std::vector<std::string> events;
  bool last = false;

  static frame read(std::string_view bytes) {
    frame out;
    if (bytes.starts_with("HTTP/1.1")) {
      const auto end = bytes.find("\r\n\r\n") + 4;
      out.head = bytes.substr(0, end);
      bytes.remove_prefix(end);
    }
    std::size_t size = 0;
    const auto line = bytes.find("\r\n");
    if (line == bytes.npos) return out;
    const auto digits = bytes.substr(0, line);
    std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
    auto payload = bytes.substr(line + 2, size);
    out.last = bytes.ends_with(last_chunk);
    while (!payload.empty()) {
      const auto end = payload.find("\n\n");
      const auto length = end == payload.npos ? payload.size() : end + 2;
      out.events.emplace_back(payload.substr(0, length));
      payload.remove_prefix(length);
    }
    return out;
  }

  std::string write() const {
    std::string payload;
    for (const auto& each : events) payload += each;
    auto out = head;
    if (!payload.empty()) out += fmt::format("{:x}\r\n{}\r\n", payload.size(), payload);
    if (last) out += last_chunk;
    return out;
  }
};

bool is_token(std::string_view event) {
  return event.contains("text_delta") || (event.contains("\"content\":\"") && !event.contains("\"content\":\"\""));
}

bool is_error(std::string_view event) {
  return event.starts_with("event: error") || event.starts_with("data: {\"error\"");
}

void replace_digit(std::string& in, std::string_view after, char by) {
  const auto at = in.find(after);
  if (at != in.npos) in[at + after.size()] = by;
}

std::string good_end(bool anthropic) {
  if (!anthropic) {
    return "data: {\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{},"
           "\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
  }
  return "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},"
         "\"usage\":{\"output_tokens\":1}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
}

}  // namespace

std::optional<std::string> tampering::answer(std::string bytes, int asked) {
  if (what_ == mischief::none) return bytes;
  if (bytes.starts_with("HTTP/1.1")) {
    stream_ = bytes.contains("text/event-stream");
    held_.clear();
    tokens_ = 0;
    asked_ = asked;
    seam_ = false;
  }
  seam_ = seam_ || (asked > asked_ && tokens_ > 0);
  asked_ = asked;
  if (!stream_) return bytes;
  if (what_ == mischief::hang && tokens_ > 1) return std::nullopt;
  auto now = frame::read(bytes);
  spoil(now.events, now.last);
  return now.write();
}

void tampering::spoil(std::vector<std::string>& events, bool last) {
  std::vector<std::string> out;
  for (auto& each : events) {
    if (is_token(each)) {
      spoil_token(std::move(each), out);
      continue;
    }
    if (what_ == mischief::swallow_error && is_error(each)) each = good_end(each.starts_with("event: "));
    if (what_ == mischief::tell_another && is_error(each)) replace_digit(each, R"(node \"n)", '9');
    if (what_ == mischief::forget_attempt) {
      if (each.contains(R"("attempts":2)")) replace_digit(each, R"("attempts":)", '1');
      if (each.contains(R"("attempts":3)")) replace_digit(each, R"("attempts":)", '2');
    }
    out.push_back(std::move(each));
  }
  if (what_ == mischief::lose_end && last && !out.empty()) out.pop_back();
  events = std::move(out);
}

void tampering::spoil_token(std::string each, std::vector<std::string>& out) {
  const bool third = ++tokens_ % 3 == 0;
  const bool seam = std::exchange(seam_, false);
  if (what_ == mischief::lose_token && third) return;
  if (what_ == mischief::lose_seam && seam) return;
  if (what_ == mischief::swap_tokens && third) {
    held_ = std::move(each);
    return;
  }
  if (what_ == mischief::double_seam && seam) out.push_back(last_);
  if (what_ == mischief::stitch && seam) {
    const auto name = each.contains("text_delta") ? R"("text":")" : R"("content":")";
    each.insert(each.find(name) + std::string_view(name).size(), "On the other hand, ");
  }
  last_ = each;
  const bool twice = (what_ == mischief::double_token && third) || (what_ == mischief::send_both && asked_ > 1);
  if (twice) out.push_back(each);
  out.push_back(std::move(each));
  if (!held_.empty()) out.push_back(std::exchange(held_, {}));
}

void tampering::hide_rest(std::span<char> bytes) {
  for (const std::string_view word : {"retry-after", "reset"}) {
    for (auto at = bytes.begin();;) {
      at = std::search(at, bytes.end(), word.begin(), word.end());
      if (at == bytes.end()) break;
      *at++ = 'x';
    }
  }
}

}  // namespace meshai::simulation
