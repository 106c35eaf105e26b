#include "chat/openai_messages.hpp"

#include <algorithm>
#include <array>
#include <format>

#include "chat/openai_words.hpp"

namespace meshai::chat::openai {
namespace {

bool says_nothing(const json::value& v) {
  switch (v.kind()) {
    case boost::json::kind::null:
      return true;
    case boost::json::kind::string:
      return v.get_string().empty();
    case boost::json::kind::array:
      return v.get_array().empty();
    case boost::json::kind::object:
      return v.get_object().empty();
    default:
      return false;
  }
}

void add_rest(const json::object& in, std::initializer_list<std::string_view> known, raw_members& extra) {
  for (auto& member : rest_of(in, known)) extra.push_back(std::move(member));
}

// "data:image/png;base64,AAAA" (RFC 2397) into media type and data.
bool read_data_url(std::string_view url, part& out) {
  constexpr std::string_view scheme = "data:", mark = ";base64,";
  if (!url.starts_with(scheme)) return false;
  const auto end = url.find(mark);
  if (end == std::string_view::npos) return false;
  const auto type = url.substr(scheme.size(), end - scheme.size());
  out.media_type = type.substr(0, type.find(';'));
  out.data = url.substr(end + mark.size());
  return true;
}

part read_image(json::checker& check, const json::object& in) {
  part out{.kind = part_kind::image, .extra = rest_of(in, {"type", "image_url"})};
  const auto* image = check.required_object(in, "image_url");
  if (image == nullptr) return out;
  const auto url = check.required_string(*image, "url");
  if (!read_data_url(url, out)) {
    if (url.starts_with("data:")) {
      check.complain(*image, "url", "must carry its data as base64", "invalid_value",
                     "write it as data:image/png;base64,...");
    }
    out.url = url;
  }
  out.detail = check.string(*image, "detail").value_or("");
  add_rest(*image, {"url", "detail"}, out.extra);
  return out;
}

part read_audio(json::checker& check, const json::object& in) {
  part out{.kind = part_kind::audio, .extra = rest_of(in, {"type", "input_audio"})};
  if (const auto* audio = check.required_object(in, "input_audio")) {
    out.data = check.required_string(*audio, "data");
    out.media_type = std::format("audio/{}", check.required_string(*audio, "format"));
    add_rest(*audio, {"data", "format"}, out.extra);
  }
  return out;
}

part read_file(json::checker& check, const json::object& in) {
  part out{.kind = part_kind::document, .extra = rest_of(in, {"type", "file"})};
  const auto* file = check.required_object(in, "file");
  if (file == nullptr) return out;
  const auto data = check.string(*file, "file_data");
  if (!data) return {.kind = part_kind::other, .raw = json::to_text(boost::json::value(in))};  // a file_id
  if (!read_data_url(*data, out)) out.url = *data;
  out.detail = check.string(*file, "filename").value_or("");
  add_rest(*file, {"file_data", "filename"}, out.extra);
  return out;
}

void read_part(json::checker& check, const json::value& element, std::vector<part>& parts) {
  const auto* in = check.as_object(element);
  if (in == nullptr) return;
  const auto type = check.required_string(*in, "type");
  if (type == "text") {
    parts.push_back(
        {.text = std::string(check.required_string(*in, "text")), .extra = rest_of(*in, {"type", "text"})});
  } else if (type == "refusal") {
    parts.push_back({.text = std::string(check.required_string(*in, "refusal"))});
  } else if (type == "image_url") {
    parts.push_back(read_image(check, *in));
  } else if (type == "input_audio") {
    parts.push_back(read_audio(check, *in));
  } else if (type == "file") {
    parts.push_back(read_file(check, *in));
  } else {
    parts.push_back({.kind = part_kind::other, .raw = json::to_text(element)});
  }
}

// A string or an array of parts.
void read_content(json::checker& check, const json::object& in, std::vector<part>& parts) {
  const auto* content = check.find(in, "content");
  if (content == nullptr) return;
  if (const auto* text = content->if_string()) {
    parts.push_back({.text = std::string(*text)});
  } else if (const auto* array = content->if_array()) {
    for (const auto& element : *array) read_part(check, element, parts);
  } else {
    check.complain(content, "must be a string or an array of content parts", "invalid_type");
  }
}

void read_reasoning(json::checker& check, const json::object& in, std::vector<part>& parts) {
  if (const auto* details = check.array_at(in, "reasoning_details"); details != nullptr && !details->empty()) {
    for (auto& thought : read_details(*details)) {
      parts.push_back({.kind = part_kind::reasoning, .thought = std::move(thought)});
    }
    return;
  }
  for (const auto name : {"reasoning_content", "reasoning"}) {
    const auto text = check.string(in, name);
    if (!text || text->empty()) continue;
    parts.push_back({.kind = part_kind::reasoning, .thought = {.text = std::string(*text)}});
    return;
  }
}

void read_tool_call(json::checker& check, const json::value& element, std::vector<part>& parts) {
  const auto* in = check.as_object(element);
  if (in == nullptr) return;
  if (check.string(*in, "type").value_or("function") != "function") {
    parts.push_back({.kind = part_kind::other, .raw = json::to_text(element)});
    return;
  }
  const auto* function = check.required_object(*in, "function");
  if (function == nullptr) return;
  part out{.kind = part_kind::tool_call};
  out.call = {.id = std::string(check.required_string(*in, "id")),
              .name = std::string(check.required_string(*function, "name")),
              .arguments = std::string(check.string(*function, "arguments").value_or("")),
              .signature = std::string(read_call_signature(*in)),
              .extra = rest_of(*in, {"id", "type", "index", "function", "extra_content"})};
  add_rest(*function, {"name", "arguments"}, out.call.extra);
  parts.push_back(std::move(out));
}

// The calls and results of the older `functions` have no ids; one call is open at a time.
std::string legacy_id(std::size_t call) {
  return std::format("call_{}", call);
}

class message_reader {
 public:
  message_reader(json::checker& check, request& out) : check_(check), out_(out) {}
  void read(const json::value& element);

 private:
  void assistant(const json::object& in, message& made);
  void result(const json::object& in, message& made, std::string id);

  json::checker& check_;
  request& out_;
  std::size_t legacy_calls_ = 0;
};

void message_reader::read(const json::value& element) {
  const auto* in = check_.as_object(element);
  if (in == nullptr) return;
  struct entry {
    std::string_view word;
    chat::role who;
  };
  constexpr std::array roles{entry{"user", role::user},           entry{"assistant", role::assistant},
                             entry{"system", role::system},       entry{"tool", role::tool},
                             entry{"developer", role::developer}, entry{"function", role::tool}};
  const auto word = check_.required_string(*in, "role");
  const auto known = std::ranges::find(roles, word, &entry::word);
  if (known == roles.end()) {
    check_.complain(*in, "role", "must be system, developer, user, assistant or tool");
    return;
  }
  message made{
      .role = known->who,
      .parts = {},
      .name = std::string(check_.string(*in, "name").value_or("")),
      .extra = rest_of(*in, {"role", "content", "name", "refusal", "reasoning_details", "reasoning_content",
                             "reasoning", "tool_calls", "tool_call_id", "function_call"})};
  if (made.role == role::assistant) {
    assistant(*in, made);
  } else if (word == "function") {
    check_.required_string(*in, "name");
    result(*in, made, legacy_id(legacy_calls_));
  } else if (made.role == role::tool) {
    result(*in, made, std::string(check_.required_string(*in, "tool_call_id")));
  } else {
    if (!check_.find(*in, "content")) check_.missing(*in, "content");
    read_content(check_, *in, made.parts);
  }
  out_.messages.push_back(std::move(made));
}

void message_reader::assistant(const json::object& in, message& made) {
  read_reasoning(check_, in, made.parts);
  read_content(check_, in, made.parts);
  if (const auto refusal = check_.string(in, "refusal"); refusal && !refusal->empty()) {
    made.parts.push_back({.text = std::string(*refusal)});
  }
  if (const auto* calls = check_.array_at(in, "tool_calls")) {
    for (const auto& call : *calls) read_tool_call(check_, call, made.parts);
  }
  if (const auto* call = check_.object_at(in, "function_call")) {
    part step{.kind = part_kind::tool_call};
    step.call.id = legacy_id(++legacy_calls_);
    step.call.name = check_.required_string(*call, "name");
    step.call.arguments = check_.string(*call, "arguments").value_or("");
    made.parts.push_back(std::move(step));
  }
  if (made.parts.empty() && made.extra.empty() && !check_.find(in, "content")) {
    check_.complain(in, "content", "is required where there are no tool_calls", "missing_required_parameter");
  }
}

void message_reader::result(const json::object& in, message& made, std::string id) {
  part answer{.kind = part_kind::tool_result, .text = std::move(id)};
  if (!check_.find(in, "content")) check_.missing(in, "content");
  read_content(check_, in, answer.content);
  made.parts.push_back(std::move(answer));
}

}  // namespace

raw_members rest_of(const json::object& in, std::initializer_list<std::string_view> known) {
  raw_members out;
  for (const auto& [name, value] : in) {
    if (says_nothing(value) || std::ranges::find(known, std::string_view(name)) != known.end()) continue;
    out.push_back({std::string(name), json::to_text(value)});
  }
  return out;
}

void read_messages(json::checker& check, const json::object& body, request& out) {
  const auto* messages = check.required_array(body, "messages");
  if (messages == nullptr) return;
  if (messages->empty()) check.complain(body, "messages", "must hold at least one message");
  message_reader reader(check, out);
  out.messages.reserve(messages->size());
  for (const auto& element : *messages) reader.read(element);
}

}  // namespace meshai::chat::openai
