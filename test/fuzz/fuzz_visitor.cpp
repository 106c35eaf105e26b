// What a caller says of itself before its body is read: Host, Origin, Sec-Fetch-Site, Authorization, x-api-key,
// and a name and a value of x-mesh-*, a line each. Nobody comes in without the key, and no page of a stranger's at
// all.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.hpp"
#include "front/admission.hpp"
#include "front/options.hpp"

namespace {

meshai::front::admission_rules house_rules() {
  meshai::front::admission_rules rules{.hosts = {"mesh.example"}, .cors_origins = {"https://app.example"}};
  rules.callers.push_back({.name = "me", .key = meshai::secret("sesame")});
  return rules;
}

meshai::front::issued_keys house_keys() {
  meshai::front::issued_keys keys{.callers = {}, .demanded = true};
  keys.callers.emplace(meshai::crypto::sha256("abracadabra"), meshai::front::caller{.name = "made", .key = {}});
  return keys;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace meshai;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::array<std::string_view, 7> said;
  for (auto& one : said) {
    one = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(one.size() + 1, text.size()));
  }
  const auto& [host, origin, site, authorization, api_key, name, value] = said;
  static const auto rules = house_rules();
  const front::visitor head{.method = "POST",
                            .host = host,
                            .origin = origin,
                            .fetch_site = site,
                            .authorization = authorization,
                            .api_key = api_key};
  if (const auto who = front::admit_page(rules, head); who && !origin.empty())
    CHECK(origin == "https://app.example" || who->allowed_origin.empty());
  static const auto keys = house_keys();
  if (const auto who = front::admit_key(rules, head, keys)) {
    CHECK(*who);
    const std::string_view secret = (*who)->name == "made" ? "abracadabra" : "sesame";
    CHECK(api_key.contains(secret) || authorization.ends_with(secret));
  }
  chat::mesh_options into;
  (void)front::take_mesh_header(name, value, into);
  return 0;
}
