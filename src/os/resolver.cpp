// A query is shared by the coroutine that waits and by c-ares, whose thread only ever posts the answer to the
// loop. The coroutine waits on a timer that the answer cancels: giving up is just leaving.
#include "os/resolver.hpp"

#include <ares.h>
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/system/system_error.hpp>
#include <optional>

#include "os/loop.hpp"

namespace meshai::os {
namespace {
namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr std::size_t cache_bound = 1024;
constexpr std::chrono::seconds shortest_life = 5s;
constexpr std::chrono::seconds longest_life = 5min;
// c-ares' own patience for one server and one round; the caller's deadline ends it earlier.
constexpr int try_milliseconds = 2000;
constexpr int tries = 3;
constexpr std::size_t longest_name = 253;  // RFC 1035 2.3.4, without the root's dot

struct answer {
  std::vector<std::string> addresses;
  std::chrono::seconds life{};
};

struct query {
  std::optional<result<answer>> found;
  loop_timer* waker = nullptr;  // null once nobody waits
};

// What c-ares carries for us.
struct question {
  std::shared_ptr<query> asked;
  std::shared_ptr<mailbox> home;
  std::string host;
};

error refusal(int status, const std::string& host) {
  const auto detail = fmt::format("looking up {}: {}", host, ares_strerror(status));
  switch (status) {
    case ARES_EBADNAME:
    case ARES_EBADSTR:
      return {error_kind::malformed, detail};
    case ARES_ETIMEOUT:
      return {error_kind::timeout, detail};
    case ARES_ENOMEM:
      return {error_kind::exhausted, detail};
    case ARES_EDESTRUCTION:
    case ARES_ECANCELLED:
      return {error_kind::unavailable, detail};
    default:
      return {error_kind::unreachable, detail};
  }
}

std::string numeric(const sockaddr* from) {
  char text[INET6_ADDRSTRLEN] = "";
  if (from->sa_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(from)->sin_addr, text, sizeof text);
  } else if (from->sa_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(from)->sin6_addr, text, sizeof text);
  }
  return text;
}

result<answer> read_answer(int status, const ares_addrinfo* info, const std::string& host) {
  if (status != ARES_SUCCESS) return std::unexpected(refusal(status, host));
  answer out{.addresses = {}, .life = longest_life};
  for (const auto* node = info->nodes; node != nullptr; node = node->ai_next) {
    auto text = numeric(node->ai_addr);
    if (text.empty() || std::ranges::contains(out.addresses, text)) continue;
    out.addresses.push_back(std::move(text));
    out.life = std::min(out.life, std::chrono::seconds(node->ai_ttl));
  }
  if (out.addresses.empty()) return std::unexpected(refusal(ARES_ENODATA, host));
  out.life = std::max(out.life, shortest_life);
  return out;
}

void on_answer(void* carried, int status, int /*timeouts*/, ares_addrinfo* info) {
  const std::unique_ptr<question> from(static_cast<question*>(carried));
  auto found = read_answer(status, info, from->host);
  ares_freeaddrinfo(info);
  from->home->post([asked = from->asked, found = std::move(found)]() mutable {
    asked->found = std::move(found);
    if (asked->waker) asked->waker->cancel();
  });
}

// RFC 6761 6.3: never asked of anybody.
bool is_localhost(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  return host == "localhost" || host.ends_with(".localhost");
}

bool is_numeric(const std::string& host) {
  boost::system::error_code bad;
  asio::ip::make_address(host, bad);
  return !bad;
}

struct waiting {
  waiting(query& on, loop_timer& waker) : asked(on) { asked.waker = &waker; }
  ~waiting() { asked.waker = nullptr; }
  query& asked;
};

}  // namespace

struct resolver::channel {
  ares_channel_t* handle = nullptr;
  channel() = default;
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;
  // Ends its thread and every query, whose loops are gone by now.
  ~channel() { ares_destroy(handle); }
};

resolver::resolver(std::string name_servers) : name_servers_(std::move(name_servers)) {
  ares_library_init(ARES_LIB_INIT_ALL);
}

resolver::~resolver() {
  channel_.reset();
  ares_library_cleanup();
}

result<resolver::channel*> resolver::open() {
  const std::lock_guard lock(mutex_);
  if (channel_) return channel_.get();
  ares_options how{};
  how.timeout = try_milliseconds;
  how.tries = tries;
  how.evsys = ARES_EVSYS_DEFAULT;
  how.qcache_max_ttl = 0;  // cached here, within bounds of our own
  auto made = std::make_unique<channel>();
  int status = ares_init_options(
      &made->handle, &how, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EVENT_THREAD | ARES_OPT_QUERY_CACHE);
  if (status == ARES_SUCCESS && !name_servers_.empty()) {
    status = ares_set_servers_csv(made->handle, name_servers_.c_str());
  }
  if (status != ARES_SUCCESS) {
    return fail(error_kind::unavailable, fmt::format("the resolver does not start: {}", ares_strerror(status)));
  }
  channel_ = std::move(made);
  return channel_.get();
}

std::vector<std::string> resolver::cached(const std::string& host) {
  const std::lock_guard lock(mutex_);
  const auto found = cache_.find(host);
  if (found == cache_.end() || found->second.until <= std::chrono::steady_clock::now()) return {};
  return found->second.addresses;
}

void resolver::remember(const std::string& host, const std::vector<std::string>& addresses,
                        std::chrono::seconds life) {
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  if (cache_.size() >= cache_bound) {
    std::erase_if(cache_, [now](const auto& old) { return old.second.until <= now; });
    if (cache_.size() >= cache_bound) cache_.erase(cache_.begin());
  }
  cache_.insert_or_assign(host, entry{addresses, now + life});
}

task<result<std::vector<std::string>>> resolver::resolve(executor loop, std::shared_ptr<mailbox> home,
                                                         std::string host, instant deadline) {
  if (is_numeric(host)) co_return std::vector{host};
  std::ranges::transform(host, host.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (is_localhost(host)) co_return std::vector<std::string>{"127.0.0.1", "::1"};
  if (host.empty() || host.size() > longest_name + 1) co_return fail(error_kind::malformed, "not a host name");
  if (auto known = cached(host); !known.empty()) co_return known;
  const auto through = open();
  if (!through) co_return std::unexpected(through.error());

  const auto asked = std::make_shared<query>();
  loop_timer waker(loop, deadline);
  const waiting here(*asked, waker);
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  ares_getaddrinfo((*through)->handle, host.c_str(), nullptr, &hints, on_answer, new question{asked, home, host});
  const auto [why] = co_await waker.async_wait(asio::as_tuple(asio::deferred));

  if (asked->found) {
    auto& found = *asked->found;
    if (!found) co_return std::unexpected(std::move(found.error()));
    remember(host, found->addresses, found->life);
    co_return std::move(found->addresses);
  }
  if (why) throw boost::system::system_error(why);
  co_return fail(error_kind::timeout, fmt::format("looking up {}: no answer in time", host));
}

}  // namespace meshai::os
