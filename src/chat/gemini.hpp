// chat: Google's Gemini API (generateContent, v1beta), for providers only.
#pragma once

#include "chat/dialect.hpp"

namespace meshai::chat::gemini {

parsed<upstream_call> write_request(const request& of, const target& to);
std::unique_ptr<stream_reader> make_stream_reader(const request& of, const target& from);
readable<answer> read_answer(const request& of, const target& from, std::string_view body);
provider_error read_error(int status, std::string_view body);

}  // namespace meshai::chat::gemini
