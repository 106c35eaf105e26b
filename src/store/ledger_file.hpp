// store: the file of keys and spending.
#pragma once

#include <filesystem>

#include "store/database.hpp"

namespace meshai::store {

// In the folder for state: `ledger.db`.
std::filesystem::path ledger_file(const std::filesystem::path& state);

result<database> open_ledger(const std::filesystem::path& file, database::access how);

// True where there is no file, and the folder can be looked into: nobody ever made a key or spent anything.
bool has_no_ledger(const std::filesystem::path& file);

// What to do about an error of it, as one line.
std::string how_to_mend(const std::filesystem::path& file, const error& why);

}  // namespace meshai::store
