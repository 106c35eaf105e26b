// care: numbers in a text: cards, accounts, telephones, national numbers. Internal.
#pragma once

#include <string_view>

#include "care/care.hpp"

namespace meshai::care {

void look_for_numbers(std::string_view text, found& into);

}  // namespace meshai::care
