#include "chat/measure.hpp"

namespace meshai::chat {
namespace {

void measure_parts(const std::vector<part>& parts, request& of) {
  for (const auto& piece : parts) {
    if (piece.kind != part_kind::tool_result) of.text_size += piece.text.size();  // there it is an id
    of.text_size += piece.thought.text.size() + piece.call.arguments.size();
    of.has_images |= piece.kind == part_kind::image;
    measure_parts(piece.content, of);
  }
}

}  // namespace

void measure(request& of) {
  for (const auto& one : of.messages) measure_parts(one.parts, of);
  for (const auto& one : of.tools) of.text_size += one.description.size() + one.raw_schema.size() + one.raw.size();
}

}  // namespace meshai::chat
