// store: keys that `meshai key` makes. Their secret is shown once and not kept: only its hash is.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/reach.hpp"
#include "crypto/crypto.hpp"
#include "env/clock.hpp"
#include "ledger/ledger.hpp"
#include "store/database.hpp"

namespace meshai::store {

struct issued_key {
  std::string name;
  crypto::digest digest{};
  std::string ending;  // the secret's last four characters, to tell it by
  meshai::reach reach = meshai::reach::cloud;
  std::vector<std::string> models;  // empty: all
  ledger::limits limits;
  wall_time created;
  std::optional<wall_time> revoked;
};

// refused where a key of that name is in use.
result<void> add_key(database& in, const issued_key& made);
// False where none of that name is in use.
result<bool> revoke_key(database& in, std::string_view name, wall_time at);
// The revoked ones too, in the order in which they were made.
result<std::vector<issued_key>> list_keys(database& in);

}  // namespace meshai::store
