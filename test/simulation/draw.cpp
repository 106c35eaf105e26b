// A plan out of a seed. Five kinds of weather: calm, where everything must succeed; one good node among bad ones,
// where everything must succeed as well; an outage, where many ask and one place is gone; silence, where one that
// is well known falls silent now and then; and storm.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "plan.hpp"

namespace meshai::simulation {
namespace {

enum class weather { calm, one_good, outage, silence, storm };

class drawing {
 public:
  explicit drawing(std::uint64_t seed) : state_(seed) { made_.seed = seed; }

  plan run() {
    sky_ = chance(8)    ? weather::calm
           : chance(18) ? weather::one_good
           : chance(12) ? weather::outage
           : chance(12) ? weather::silence
                        : weather::storm;
    draw_limits();
    if (sky_ == weather::silence) {
      draw_silence();
      draw_certainty();
      return std::move(made_);
    }
    draw_providers();
    draw_names();
    draw_keys();
    draw_callers();
    if (sky_ == weather::storm) draw_events();
    if (sky_ == weather::outage) {
      made_.events.push_back({.at = ms(500, 2'000),
                              .what = mishap::crash,
                              .who = any(made_.providers).name,
                              .lasts = ms(10'000, 40'000)});
    }
    draw_certainty();
    return std::move(made_);
  }

 private:
  // With dice of its own: older seeds mean what they meant.
  void draw_certainty() {
    state_ = made_.seed ^ 0xce27a1d7ull;
    for (auto& each : made_.providers) {
      if (chance(35)) each.logprob = -number(2, 30) / 10.0;  // around what is doubted
    }
  }

  // splitmix64: the standard's distributions differ from library to library.
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
  }
  int number(int least, int most) {
    return least + static_cast<int>(next() % static_cast<std::uint64_t>(most - least + 1));
  }
  bool chance(int percent) { return number(1, 100) <= percent; }
  milliseconds ms(int least, int most) { return milliseconds(number(least, most)); }
  template <class Range>
  const typename Range::value_type& any(const Range& of) {
    return *std::next(std::begin(of), number(0, static_cast<int>(std::size(of)) - 1));
  }
  meshai::reach any_reach() { return static_cast<meshai::reach>(number(0, 3)); }

  void draw_limits() {
    auto& to = made_.limits;
    made_.workers = number(1, 2);
    if (chance(50)) made_.max_waiting = number(1, 3);
    to.request_timeout = ms(12'000, 30'000);
    to.first_token_timeout = ms(1'000, 3'000);
    to.idle_timeout = ms(2'000, 5'000);
    to.max_stream = ms(20'000, 45'000);
    to.headers_after = ms(500, 15'000);
    to.attempts = sky_ == weather::one_good ? 20 : number(1, 6);
    constexpr std::array<double, 4> shares{0.05, 0.05, 0.3, 0};
    to.hedge_share = any(shares);
    to.hedge_up = chance(30);
    made_.unknown_model_auto = chance(40);
    made_.api = chance(85) ? meshai::reach::cloud : any_reach();
  }

  void draw_providers() {
    constexpr std::array<fake::protocol, 4> protocols{fake::protocol::openai, fake::protocol::openai,
                                                      fake::protocol::anthropic, fake::protocol::gemini};
    const int count = sky_ == weather::one_good ? number(2, 4) : number(1, 4);
    for (int i = 0; i < count; ++i) {
      provider one;
      one.name = fmt::format("n{}", i);
      one.where = static_cast<tier>(chance(30) ? 0 : number(1, 3));
      one.speaks = any(protocols);
      one.weight = number(1, 3);
      for (int m = 0, n = number(1, 2); m < n; ++m)
        one.models.push_back(fmt::format("m{}", chance(50) ? m : 10 + i));
      if (one.models.size() == 2 && one.models[0] == one.models[1]) one.models.pop_back();
      const bool good = sky_ == weather::calm || (sky_ == weather::one_good && i == 0);
      one.link = good || sky_ == weather::one_good ? clean_link() : any_link();
      if (chance(40)) one.told_prefill = chance(80);
      if (chance(20)) one.places = number(1, 2);
      if (!good) {
        draw_manner(one);
        one.discovers = chance(15);
        for (int k = 0, n = number(0, 8); k < n; ++k) one.plays.push_back(any_play());
        // One word over and over, in the midst of words that were said before, is nobody's answer.
        if (std::ranges::any_of(one.plays, [](const play& p) { return p.how.fault == fake::fault::endless; })) {
          for (auto* manner : {&one.prefill, &one.asked}) {
            if (*manner == fake::going_on::overlaps) *manner = fake::going_on::continues;
          }
        }
      }
      made_.providers.push_back(std::move(one));
    }
  }

  // How it goes on with what another one began. A model that is given a prefill speaks on from it: it makes no
  // remark.
  void draw_manner(provider& of) {
    using enum fake::going_on;
    constexpr std::array<fake::going_on, 6> prefill{continues, continues, continues, refused, ignored, overlaps};
    constexpr std::array<fake::going_on, 6> asked{continues, continues, continues, ignored, preamble, overlaps};
    of.prefill = any(prefill);
    of.asked = any(asked);
    of.voice = chance(15) ? 1 : 0;
  }

  sim::link clean_link() {
    return {.latency_min = 200us,
            .latency_max = 200us + std::chrono::microseconds(number(0, 30'000)),
            .segment_max = chance(25) ? static_cast<std::size_t>(number(16, 400)) : 0,
            .fragment_reads = chance(30)};
  }

  sim::link any_link() {
    auto out = clean_link();
    if (chance(10)) out.bytes_per_second = static_cast<std::size_t>(number(2'000, 100'000));
    if (chance(20)) out.stall = 0.02;
    if (chance(20)) out.reset = 0.02;
    if (chance(20)) out.refuse = 0.3;
    if (chance(12)) out.ignore = 0.3;
    if (chance(10)) out.mute = 0.2;
    out.stall_time = ms(100, 3'000);
    return out;
  }

  play any_play() {
    play out;
    auto& how = out.how;
    if (chance(15)) how.thinking = "Let me think about it.";
    const bool quick = sky_ == weather::one_good;
    if (!quick && chance(20)) how.first_token = ms(0, 8'000);
    if (!quick && chance(15)) how.gap = ms(0, 2'000);
    if (chance(35)) return out;
    if (chance(45)) {
      refuse(out, quick);
      return out;
    }
    // What shows at once, and is another node's chance also in the middle of an answer.
    using enum fake::fault;
    constexpr std::array<fake::fault, 7> at_once{reset, html, garbage, error_event, end, truncate, no_finish};
    how.fault = quick ? any(at_once) : static_cast<fake::fault>(number(1, static_cast<int>(short_body)));
    how.at = chance(10) ? fake::in_call : number(-1, 6);
    if (how.fault == garbage || how.fault == error_event || quick) how.at = std::max(how.at, 0);
    if (quick && how.fault == reset && chance(30)) how.at = -1;
    if (how.fault == endless) {
      how.gap = ms(50, 200);
      how.at = number(4, 6);  // so much has been said before that no other beginning is taken for it
    }
    if (!quick && chance(20)) {
      how.fault = none;
      how.pause = ms(100, 6'000);
    }
    return out;
  }

  void refuse(play& out, bool early) {
    struct answer {
      int status;
      const char *type, *code, *message;
    };
    static constexpr std::array<answer, 19> answers{{
        {429, "rate_limit_error", "", "Slow down."},
        {429, "rate_limit_error", "", "Slow down."},
        {429, "rate_limit_error", "", "Slow down."},
        {429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota."},
        {500, "server_error", "", "Oops."},
        {502, "", "", ""},
        {503, "overloaded_error", "", "Overloaded."},
        {529, "overloaded_error", "", "Overloaded."},
        {408, "", "", "Too slow."},
        {409, "", "", "Conflict."},
        {425, "", "", "Too early."},
        {401, "authentication_error", "invalid_api_key", "Who are you?"},
        {402, "billing_error", "", "Pay first."},
        {403, "permission_error", "", "Not you."},
        {404, "not_found_error", "model_not_found", "The model does not exist."},
        // From here on the caller's own fault, or the end of it.
        {400, "invalid_request_error", "context_length_exceeded", "This model's maximum context length is 8."},
        {400, "invalid_request_error", "", "No."},
        {413, "request_too_large", "", "Too large."},
        {422, "invalid_request_error", "", "Unprocessable."},
    }};
    const auto& said = answers[static_cast<std::size_t>(number(0, early ? 14 : 18))];
    out.how.status = said.status;
    out.how.type = said.type;
    out.how.code = said.code;
    out.how.message = said.message;
    if ((said.status == 429 && out.how.code.empty()) || said.status == 503) ask_for_rest(out);
  }

  // Every form in which a provider asks to be left alone, and some that are none.
  void ask_for_rest(play& out) {
    const auto rests = std::chrono::seconds(number(1, 40));
    // The pretend world's wall clock begins with 2025; a date is far enough in it to lie ahead.
    const auto date =
        std::chrono::sys_days(std::chrono::year(2025) / 1 / 1) + std::chrono::seconds(number(30, 120));
    const auto add = [&](const char* name, std::string value) {
      out.how.headers.emplace_back(name, std::move(value));
    };
    const auto in_seconds = fmt::format("{}", rests.count());
    out.rests_for = rests;
    switch (number(0, 12)) {
      case 0:
      case 1:
        return add("retry-after", in_seconds);
      case 2:
        return add("retry-after-ms", in_seconds + "000");
      case 3:
        return add("x-ratelimit-reset-requests", in_seconds + "s");
      case 4:
        return add("x-ratelimit-reset-tokens", fmt::format("0m{}.000s", in_seconds));
      case 5:
        add("retry-after-ms", in_seconds + "000");
        return add("retry-after", "1");
      case 6:
        out.how.message = fmt::format("Please try again in {}s.", in_seconds);
        return;
      default:
        break;
    }
    out.rests_for = {};
    const auto moment = [&](const char* form) { return fmt::format(fmt::runtime(form), date); };
    switch (number(0, 7)) {
      case 0:
        return add("retry-after", moment("{:%a, %d %b %Y %H:%M:%S GMT}"));
      case 1:
        return add("retry-after", moment("{:%A, %d-%b-%y %H:%M:%S GMT}"));
      case 2:
        return add("retry-after", moment("{:%a %b %e %H:%M:%S %Y}"));
      case 3:
        return add("anthropic-ratelimit-requests-reset", moment("{:%Y-%m-%dT%H:%M:%SZ}"));
      case 4:
        return add("retry-after", "soon");
      case 5:
        return add("retry-after", "-5");
      case 6:
        return add("retry-after", "99999999999999999999999");
      default:
        return;
    }
  }

  // One that many know to be quick, then silences: before its answers and in them, with an end and without.
  void draw_silence() {
    made_.api = meshai::reach::cloud;
    made_.limits.attempts = number(3, 6);
    for (int i = 0, n = number(2, 3); i < n; ++i) {
      provider one;
      one.name = fmt::format("n{}", i);
      one.where = static_cast<tier>(number(0, 3));
      if (i > 0 && chance(50)) one.where = made_.providers.front().where;
      one.speaks = static_cast<fake::protocol>(number(0, 2));
      one.models = {fmt::format("m{}", i)};
      one.link = {.latency_min = 200us, .latency_max = 2ms};
      if (i > 0) draw_manner(one);
      made_.providers.push_back(std::move(one));
    }
    auto& known = made_.providers.front().plays;
    const auto gap = ms(5, 20);
    for (int i = 0; i < 34; ++i) known.push_back({.how = {.first_token = ms(20, 40), .gap = gap}});
    for (int i = 0, n = number(4, 10); i < n; ++i) {
      play next;
      auto& how = next.how;
      const int kind = number(0, 4);
      how.gap = kind == 4 ? 0ms : gap;
      how.at = number(1, 6);
      if (kind <= 1) how.pause = ms(300, 4'000);
      if (kind == 2) how.first_token = ms(500, 2'000);
      if (kind == 3) how.fault = chance(70) ? fake::fault::stall : fake::fault::reset;
      known.push_back(std::move(next));
    }
    for (int i = 0; i < 2; ++i) {
      caller one{.name = fmt::format("c{}", i), .link = {.latency_min = 200us, .latency_max = 1ms}, .asks = {}};
      for (int k = 0, n = number(20, 26); k < n; ++k) {
        one.asks.push_back({.after = ms(0, 100),
                            .anthropic = i == 1,
                            .stream = chance(95),
                            .model = "m0",
                            .reach = {},
                            .fallback = {},
                            .words = number(6, 14),
                            .hangs_up = {}});
      }
      made_.callers.push_back(std::move(one));
    }
  }

  void draw_names() {
    if (chance(60)) {
      route::model_route named{.name = "gpt-4", .route = {}};
      for (const auto& each : made_.providers) {
        if (!chance(60)) continue;
        named.route.push_back(chance(50) ? each.name : each.name + "/" + each.models.front());
      }
      if (!named.route.empty()) made_.routes.push_back(std::move(named));
    }
  }

  void draw_keys() {
    if (chance(60)) return;
    for (int i = 0, n = number(1, 3); i < n; ++i) {
      key one{.name = fmt::format("k{}", i), .secret = fmt::format("sk-mesh-{}-{}", i, made_.seed)};
      one.reach = any_reach();
      if (chance(20)) one.models = {chance(50) ? "auto" : made_.providers.front().models.front()};
      made_.keys.push_back(std::move(one));
    }
  }

  std::string any_model() {
    const auto& at = any(made_.providers);
    switch (number(0, 9)) {
      case 0:
      case 1:
        return at.name + "/" + any(at.models);
      case 2:
        return any(at.models);
      case 3:
        return "gpt-4";
      case 4:
        return chance(50) ? "claude-that-nobody-has" : at.name + "/nothing";
      default:
        return "auto";
    }
  }

  void draw_callers() {
    const int callers = sky_ == weather::outage ? number(3, 6) : number(1, 4);
    for (int i = 0; i < callers; ++i) {
      caller one;
      one.name = fmt::format("c{}", i);
      if (!made_.keys.empty()) {
        one.key = chance(5) ? caller::wrong_key : number(0, static_cast<int>(made_.keys.size()) - 1);
      }
      one.keeps_alive = chance(70);
      one.link = sky_ == weather::storm && chance(25) ? any_link() : clean_link();
      const int asks = sky_ == weather::outage ? number(4, 8) : number(1, 4);
      for (int k = 0; k < asks; ++k) one.asks.push_back(any_ask());
      made_.callers.push_back(std::move(one));
    }
  }

  ask any_ask() {
    ask out;
    out.after = ms(0, 3'000);
    out.anthropic = chance(40);
    out.stream = chance(70);
    out.hard = chance(40);
    out.tool = chance(12);
    out.usage = chance(30);
    out.model = any_model();
    if (chance(20)) out.reach = any_reach();
    if (chance(20)) out.fallback = chance(25);
    out.in_headers = chance(30);
    out.words = number(1, 24);
    if (chance(2)) {  // more than the buffers on the way hold
      out.words = number(200, 400);
      out.word_size = 1'000;
    }
    if (chance(12)) out.hangs_up = ms(0, 5'000);
    if (chance(10)) out.reads_every = ms(20, 400);
    if (chance(8)) out.writes_every = ms(20, 500);
    return out;
  }

  void draw_events() {
    for (int i = 0, n = chance(50) ? 0 : number(1, 3); i < n; ++i) {
      event one{.at = ms(200, 15'000), .lasts = ms(100, 8'000)};
      const int kind = number(0, 9);
      one.what = kind < 4   ? mishap::crash
                 : kind < 7 ? mishap::cut
                 : kind < 9 ? mishap::reload
                            : mishap::bad_reload;
      const bool caller = one.what == mishap::cut && chance(30);
      one.who = caller ? any(made_.callers).name : any(made_.providers).name;
      if (one.what == mishap::bad_reload || (one.what == mishap::reload && chance(30))) one.who.clear();
      made_.events.push_back(std::move(one));
    }
    if (chance(8)) made_.events.push_back({.at = ms(1'000, 10'000), .what = mishap::stop, .lasts = ms(0, 5'000)});
  }

  std::uint64_t state_;
  weather sky_ = weather::storm;
  plan made_;
};

}  // namespace

plan draw(std::uint64_t seed) {
  return drawing(seed).run();
}

}  // namespace meshai::simulation
