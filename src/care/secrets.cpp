#include "care/secrets.hpp"

#include <cmath>
#include <ranges>

#include "care/beginnings.hpp"
#include "care/letters.hpp"

namespace meshai::care {
namespace {

constexpr std::size_t longest_looked_at = 128;  // of a token; its beginning tells

bool is_token(char c) {
  return is_word(c) || c == '_' || c == '-' || c == '.';
}

// What providers' keys begin with, and how many characters follow at least.
struct shape {
  std::string_view prefix;
  std::size_t rest;
  bool unbroken = false;  // letters and digits only: the prefix begins other words too
};
constexpr std::array shapes{
    shape{"sk-ant-", 20},  // Anthropic
    shape{"sk-proj-", 20},
    shape{"sk-svcacct-", 20},
    shape{"sk-admin-", 20},  // OpenAI
    shape{"sk-or-v1-", 32},  // OpenRouter
    shape{"sk-", 20, true},  // OpenAI, DeepSeek and others
    shape{"sk_live_", 16},
    shape{"sk_test_", 16},
    shape{"rk_live_", 16},  // Stripe
    shape{"rk_test_", 16},
    shape{"whsec_", 24},  // Stripe
    shape{"AIza", 35},
    shape{"ya29.", 20},
    shape{"GOCSPX-", 24},  // Google
    shape{"AKIA", 16, true},
    shape{"ASIA", 16, true},  // AWS
    shape{"ghp_", 36, true},
    shape{"gho_", 36, true},
    shape{"ghu_", 36, true},  // GitHub
    shape{"ghs_", 36},
    shape{"ghr_", 36, true},
    shape{"github_pat_", 40},  // GitHub
    shape{"glpat-", 20},
    shape{"gldt-", 20},
    shape{"glrt-", 20},  // GitLab
    shape{"xoxb-", 20},
    shape{"xoxp-", 20},
    shape{"xoxa-", 20},  // Slack
    shape{"xoxe-", 20},
    shape{"xoxe.", 20},
    shape{"xoxr-", 20},  // Slack
    shape{"xoxs-", 20},
    shape{"xapp-", 20},  // Slack
    shape{"SG.", 60},
    shape{"hf_", 30, true},
    shape{"npm_", 36, true},  // SendGrid, Hugging Face
    shape{"pypi-AgE", 50},
    shape{"rubygems_", 48, true},  // package registries
    shape{"dop_v1_", 64, true},
    shape{"shpat_", 32, true},
    shape{"shpss_", 32, true},  // DigitalOcean, Shopify
    shape{"gsk_", 40, true},
    shape{"xai-", 40, true},
    shape{"pplx-", 40, true},  // Groq, xAI, Perplexity
    shape{"r8_", 37, true},
    shape{"tskey-", 20},
    shape{"hvs.", 24},  // Replicate, Tailscale, Vault
    shape{"AGE-SECRET-KEY-1", 50, true},
    shape{"glsa_", 32},  // age, Grafana
    shape{"dapi", 32, true},
    shape{"lin_api_", 32, true},
    shape{"ntn_", 40, true},  // Databricks, Linear, Notion
    shape{"figd_", 32},
    shape{"PMAK-", 50},
    shape{"NRAK-", 24, true},  // Figma, Postman, New Relic
    shape{"sbp_", 40, true},
    shape{"nfp_", 36, true},
    shape{"dckr_pat_", 24},  // Supabase, Netlify, Docker
    shape{"ATATT3", 100},
    shape{"sq0atp-", 22},
    shape{"EAACEdEose0cBA", 20},  // Atlassian, Square, Facebook
};

std::size_t distinct(std::string_view text) {
  std::array<bool, 256> seen{};
  for (const char c : text) seen[static_cast<unsigned char>(c)] = true;
  return static_cast<std::size_t>(std::ranges::count(seen, true));
}

double bits_a_character(std::string_view text) {
  std::array<unsigned, 256> times{};
  for (const char c : text) ++times[static_cast<unsigned char>(c)];
  double bits = 0;
  for (const auto n : times) {
    if (n == 0) continue;
    const double share = n / static_cast<double>(text.size());
    bits -= share * std::log2(share);
  }
  return bits;
}

template <class Is>
std::string_view run_of(std::string_view text, Is is) {
  text = text.substr(0, longest_looked_at);
  const auto end = std::ranges::find_if_not(text, is);
  return text.substr(0, static_cast<std::size_t>(end - text.begin()));
}

constexpr beginnings key_beginnings{shapes | std::views::transform(&shape::prefix)};

// RFC 7519 3.1: two JSON objects and a signature, in base64url.
bool is_web_token(std::string_view text) {
  constexpr std::size_t longest_part = 4096, least_part = 10;
  const auto is_base64url = [](char c) { return is_word(c) || c == '-' || c == '_'; };
  for (int part = 0; part < 2; ++part) {
    if (!text.starts_with("eyJ")) return false;
    const auto looked_at = text.substr(0, longest_part);
    const auto end =
        static_cast<std::size_t>(std::ranges::find_if_not(looked_at, is_base64url) - looked_at.begin());
    if (end < least_part || end == text.size() || text[end] != '.') return false;
    text.remove_prefix(end + 1);
  }
  return run_of(text, is_base64url).size() >= least_part;
}

// RFC 7468, and the block that OpenPGP has (RFC 9580 6.2).
bool is_private_key_block(std::string_view behind_begin) {
  const auto line = behind_begin.substr(0, std::min<std::size_t>(40, behind_begin.find("-----")));
  return line.contains("PRIVATE KEY");
}

// A bot's token of Telegram: "123456789:AA...", 35 characters behind the colon.
bool is_bot_token(std::string_view text) {
  const auto number = run_of(text, is_digit);
  if (number.size() < 8 || number.size() > 10 || text.size() <= number.size() || text[number.size()] != ':')
    return false;
  const auto rest =
      run_of(text.substr(number.size() + 1), [](char c) { return is_word(c) || c == '_' || c == '-'; });
  return rest.size() == 35 && rest.starts_with("AA") && distinct(rest) >= 12;
}

bool is_placeholder(std::string_view value) {
  constexpr std::string_view first = "$<{%&@*[(";
  constexpr std::array<std::string_view, 14> begins{"env:", "file:", "env.",  "os.",  "process.",
                                                    "http", "sha",   "md5",   "aes",  "base64",
                                                    "utf-", "rfc",   "your_", "your-"};
  if (value.empty() || first.contains(value.front())) return true;
  if (value.contains('(') || value.contains("...") || value.contains("${") || value.contains("***")) return true;
  std::array<char, 8> low{};
  const auto begin = value.substr(0, low.size());
  std::ranges::transform(begin, low.begin(), to_lower);
  const std::string_view lower(low.data(), begin.size());
  return std::ranges::any_of(begins, [&](std::string_view each) { return lower.starts_with(each); });
}

}  // namespace

bool is_provider_key(std::string_view text) {
  if (!key_beginnings.may_begin(text)) return false;
  for (const auto& [prefix, rest, unbroken] : shapes) {
    if (!text.starts_with(prefix)) continue;
    const auto behind =
        unbroken ? run_of(text.substr(prefix.size()), is_word) : run_of(text.substr(prefix.size()), is_token);
    // "sk-xxxxxxxxxxxxxxxxxxxx" holds a place only.
    if (behind.size() >= rest && std::ranges::any_of(behind, is_digit) && distinct(behind) >= 8) return true;
  }
  return false;
}

bool looks_like_password(std::string_view value, bool said_plainly) {
  if (value.size() < 6 || is_placeholder(value) || distinct(value) < 4) return false;
  const auto digits = std::ranges::count_if(value, is_digit);
  const auto letters = std::ranges::count_if(value, [](char c) { return is_letter(c) || is_beyond_ascii(c); });
  const auto signs = static_cast<std::ptrdiff_t>(value.size()) - digits - letters;
  if (letters == 0) return said_plainly && digits >= 6 && signs == 0;
  constexpr std::string_view strong = "!@#$%^&*+=?~";
  return digits > 0 || std::ranges::any_of(value, [&](char c) { return strong.contains(c); });
}

bool looks_like_key(std::string_view value) {
  if (value.size() < 16 || is_placeholder(value) || distinct(value) < 8) return false;
  const int digits_expected = value.size() < 32 ? 2 : 1;
  return std::ranges::count_if(value, is_digit) >= digits_expected && bits_a_character(value) >= 3.0;
}

bool has_password(std::string_view url) {
  constexpr std::size_t longest_authority = 256;
  constexpr std::string_view ends = "/?# \t\r\n\"'<>`|\\";
  url.remove_prefix(3);
  const auto authority = url.substr(0, std::min(longest_authority, url.find_first_of(ends)));
  const auto sign = authority.rfind('@');
  if (sign == std::string_view::npos) return false;
  const auto user = authority.substr(0, sign);
  const auto colon = user.find(':');
  if (colon == std::string_view::npos) return false;
  const auto word = user.substr(colon + 1);
  constexpr std::array<std::string_view, 6> placeholders{"password", "PASSWORD", "pass", "PASS", "xxx", "secret"};
  return word.size() >= 3 && !is_placeholder(word) && !std::ranges::contains(placeholders, word) &&
         distinct(word) >= 2;
}

namespace {
void look_for_tokens(std::string_view text, found& into) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!is_word(text[at])) continue;
    if (at > 0 && (is_word(text[at - 1]) || text[at - 1] == '_') && !after_escape(text, at)) continue;
    const auto here = text.substr(at);
    if (is_provider_key(here)) into.add(kind::api_key);
    if (text[at] == 'e' && is_web_token(here)) into.add(kind::web_token);
    if (is_digit(text[at]) && is_bot_token(here)) into.add(kind::api_key);
  }
}
}  // namespace

void look_for_secrets(std::string_view text, found& into) {
  constexpr std::string_view block = "-----BEGIN ", authority = "://";
  for (auto at = text.find(block); at != std::string_view::npos; at = text.find(block, at + 1)) {
    if (is_private_key_block(text.substr(at + block.size()))) into.add(kind::private_key);
  }
  if (text.contains("PuTTY-User-Key-File-")) into.add(kind::private_key);
  for (auto at = text.find(authority); at != std::string_view::npos; at = text.find(authority, at + 1)) {
    if (has_password(text.substr(at))) into.add(kind::password);
  }
  look_for_tokens(text, into);
  look_for_named(text, into);
}

}  // namespace meshai::care
