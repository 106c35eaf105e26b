// care: e-mail addresses in a text. Internal.
#pragma once

#include <string_view>

#include "care/care.hpp"

namespace meshai::care {

void look_for_emails(std::string_view text, found& into);

}  // namespace meshai::care
