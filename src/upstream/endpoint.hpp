// upstream: one node as calls need it: where it is, its keys ready to be sent, its headers and query. Internal.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "http/http.hpp"
#include "upstream/upstream.hpp"

namespace meshai::upstream {

struct endpoint {
  std::string node;
  meshai::tier where = meshai::tier::cloud;
  chat::dialect dialect = chat::dialect::openai;
  http::origin origin;
  std::string path;   // of the base URL, without a slash at its end
  std::string query;  // "a=b&c=d", percent-encoded; of every call
  fields headers;
  std::function<chat::request(chat::request)> prepare;
  std::function<int()> places;
  bool counts = false;
  std::function<bool()> ready;
  std::function<task<result<void>>(env::world)> wait_ready;

  struct key {
    secret value;
    secret header;        // as it is sent: "Bearer ..." or the key itself
    route::target_id id;  // under which it rests
  };
  std::vector<key> keys;
  std::string_view key_header;            // its name
  mutable std::atomic<unsigned> turn{0};  // whose turn it is; a count, not a state: any value does

  // The key to use now, the next in turn that does not rest; null where the node has none.
  const key* choose(const route::health& known, instant now) const;
  // Another key than `spent` that does not rest.
  bool has_another(const key* spent, const route::health& known, instant now) const;

  // "/v1/chat/completions?alt=sse&a=b" for "/chat/completions?alt=sse".
  std::string target(std::string_view path_of_call) const;

  // Our keys out of a provider's words.
  void scrub(chat::provider_error& said) const;
};

result<std::unique_ptr<endpoint>> make_endpoint(node_options from);

}  // namespace meshai::upstream
