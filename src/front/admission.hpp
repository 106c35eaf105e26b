// front: who may come in. Decided on the head of a request alone, before its body is read.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/reach.hpp"
#include "base/secret.hpp"
#include "chat/chat.hpp"
#include "crypto/crypto.hpp"
#include "ledger/ledger.hpp"

namespace meshai::front {

// One caller: what its key looks like and what it may do.
struct caller {
  std::string name;
  secret key;
  std::vector<std::string> models;  // empty: all
  meshai::reach reach = meshai::reach::cloud;
  ledger::limits limits;
};

// Those whose keys were made by `meshai key`: of the key only the hash is known.
struct issued_keys {
  std::map<crypto::digest, caller> callers;
  // Once a key was made the door stays closed without one, also after all are revoked, or where it cannot be
  // known.
  bool demanded = false;
};

struct admission_rules {
  std::vector<caller> callers;     // empty: open to whoever reaches the door, unless keys were issued
  std::vector<std::string> hosts;  // names that may stand in Host besides localhost and addresses; lower case
  std::vector<std::string> cors_origins;  // origins of pages that may call us
};

// The headers that admission looks at; empty where they are absent.
struct visitor {
  std::string_view method;
  std::string_view host, origin, fetch_site, authorization, api_key;
  bool owner = false;  // came through the owner's own socket, which needs no key
};

struct admitted {
  const caller* who = nullptr;      // nothing for the owner and at an open door
  std::string_view allowed_origin;  // goes into Access-Control-Allow-Origin; empty: no CORS headers
};

// Is this a page of somebody else's in the user's browser? Host against DNS rebinding: only names listed,
// localhost and numeric addresses pass, since a rebound name is still a name. Origin and Sec-Fetch-Site (W3C Fetch
// Metadata) against cross-site requests; same-site is refused as well, for every port of localhost is the same
// site.
chat::parsed<admitted> admit_page(const admission_rules& rules, const visitor& head);

// The key, by Authorization: Bearer or x-api-key. Every configured key is compared, in constant time each; issued
// ones are found by their hash, of which nobody can choose the beginning.
chat::parsed<const caller*> admit_key(const admission_rules& rules, const visitor& head,
                                      const issued_keys& issued = {});

}  // namespace meshai::front
