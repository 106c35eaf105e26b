// care: keys, tokens and passwords in a text. Internal.
#pragma once

#include <string_view>

#include "care/care.hpp"

namespace meshai::care {

void look_for_secrets(std::string_view text, found& into);
void look_for_named(std::string_view text, found& into);  // "password: ...", "API_KEY=..."

// Of what stands behind "password:" or "api_key =". Both leave out placeholders, calls and names of types.
bool looks_like_password(std::string_view value, bool said_plainly);
bool looks_like_key(std::string_view value);
bool is_provider_key(std::string_view text);  // begins with one

// "https://user:password@host", beginning at "://".
bool has_password(std::string_view url);

}  // namespace meshai::care
