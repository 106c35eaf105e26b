#include "judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "env/clock.hpp"

namespace meshai::simulation {
namespace {

using std::chrono::duration_cast;

class court {
 public:
  court(const plan& of, const record& saw) : plan_(of), saw_(saw) {}

  std::vector<finding> run() {
    gather();
    for (const auto& each : saw_.answers) {
      form(each);
      judge_text(each, may_loop(each), found_);
      time(each);
      idle(each);
      travel(each);
      attempts(each);
      story(each);
      hang_up(each);
      luck(each);
    }
    for (const auto& each : plan_.providers) {
      rest(each);
      storm(each);
      places(each);
    }
    hedges();
    the_end();
    return std::move(found_);
  }

 private:
  struct visit {
    const provider* at;
    const line* on;
    const question* what;
    bool reused;  // its connection was there before it
  };

  void find(std::string rule, std::string what) { found_.push_back({std::move(rule), std::move(what)}); }

  void gather() {
    for (const auto& each : saw_.seen.lines) {
      if (each.inward) {
        for (const auto& q : each.questions) door_lines_[q.tag] = &each;
        continue;
      }
      const auto* at = plan_.find(saw_.node_at.at(each.who));
      for (std::size_t i = 0; i < each.questions.size(); ++i) {
        // A connection may also have waited, warm, for its first question.
        const bool reused = i > 0 || each.questions[i].asked > each.opened;
        visits_[each.questions[i].tag].push_back({at, &each, &each.questions[i], reused});
      }
    }
  }

  const std::vector<visit>& visits(const std::string& tag) { return visits_[tag]; }

  const caller& caller_of(const heard& got) const {
    const auto name = got.tag.substr(0, got.tag.find('.'));
    return *std::ranges::find(plan_.callers, name, &caller::name);
  }

  meshai::reach bound_of(const heard& got) const {
    auto bound = plan_.api;
    if (got.key >= 0) bound = strictest(bound, plan_.keys[static_cast<std::size_t>(got.key)].reach);
    if (got.what->reach) bound = strictest(bound, *got.what->reach);
    return bound;
  }

  // ---- one request

  // It ends, once, in its dialect, and an error says what to do.
  void form(const heard& got) {
    for (const auto& each : got.wrong) find("protocol", got.tag + ": " + each);
    if (got.how == ending::pending && !waits_in_vain(got)) find("hang", got.tag + " has no end");
    if (got.how == ending::refused) {
      if (got.status < 400 && !got.in_stream) find("error", fmt::format("{}: status {}", got.tag, got.status));
      if (got.error_type.empty() || got.error_code.empty() || got.hint.empty()) {
        find("error",
             fmt::format("{}: {} {} without type, code or hint", got.tag, got.error_type, got.error_code));
      }
      if (got.key == caller::wrong_key && got.status != 401)
        find("key", got.tag + " came in with a key of nobody");
    }
    if (got.how == ending::whole && got.key == caller::wrong_key)
      find("key", got.tag + " came in with a wrong key");
    const bool excused = !is_clean(caller_of(got).link) || stop_explains(got) || cut_off(got) || slow_to_ask(got);
    if (got.how == ending::broken && !excused)
      find("broken", got.tag + ": the connection ended before its answer");
    if (got.how == ending::no_door && !excused) find("no door", got.tag + ": nobody took the connection");
  }

  // It never got through, or its connection was reset without its knowing: not the node lets it wait.
  bool waits_in_vain(const heard& got) {
    const auto* door = door_lines_[got.tag];
    return !is_clean(caller_of(got).link) && (!door || door->ended != never);
  }
  bool stop_explains(const heard& got) const { return saw_.stopped != never && got.ended >= saw_.stopped; }
  bool cut_off(const heard& got) const {
    return std::ranges::any_of(
        plan_.events, [&](const event& e) { return e.what == mishap::cut && e.who == caller_of(got).name; });
  }
  // A head that takes longer than ten seconds is cut off.
  static bool slow_to_ask(const heard& got) { return got.what->writes_every * got.what->words > 2s; }

  // A loop of an endless provider, which may be cut short.
  bool may_loop(const heard& got) {
    const auto is_endless = [](const play& one) { return one.how.fault == fake::fault::endless; };
    return std::ranges::any_of(visits(got.tag),
                               [&](const visit& v) { return std::ranges::any_of(v.at->plays, is_endless); });
  }

  // What the last event says of the attempts is what was seen of them, and an error is the first one's.
  void story(const heard& got) {
    if (got.attempts == 0) return;
    int seen = 0;
    for (const auto& each : visits(got.tag)) seen += !each.reused || each.what->answered != never;
    if (got.attempts < seen) {
      find("story", fmt::format("{} tells of {} attempts, and {} were seen", got.tag, got.attempts, seen));
    }
    // Who has no place for it is not asked.
    const auto fell = std::ranges::count_if(got.failed, [](const auto& each) { return each.fault != "busy"; });
    if (std::cmp_less(got.attempts, fell)) {
      find("story",
           fmt::format("{} tells of {} attempts, and how {} of them failed", got.tag, got.attempts, fell));
    }
    const auto& failed = got.failed;
    if (got.how != ending::refused || failed.empty()) return;
    auto first = std::ranges::find(failed, true, &heard::failure::streamed);
    if (first == failed.end()) first = failed.begin();
    constexpr std::string_view mark = "node \"";
    if (!got.message.starts_with(mark)) return;  // in the provider's own words
    const auto named = got.message.substr(mark.size(), got.message.find('"', mark.size()) - mark.size());
    if (named != first->node) {
      find("story", fmt::format("{} tells of {}, and {} failed first", got.tag, named, first->node));
    }
  }

  // What the network may add to a request and its answer.
  std::chrono::nanoseconds slack(const heard& got) const {
    const auto& way = caller_of(got).link;
    std::chrono::nanoseconds out = 6 * way.latency_max + 2s;
    if (way.stall > 0) out += 3 * way.stall_time;
    if (way.bytes_per_second > 0) {
      out += std::chrono::seconds(2 + 3 * (got.what->words * (got.what->word_size + 300)) /
                                          static_cast<int>(way.bytes_per_second));
    }
    // Dials that nobody answers go on for as long as the caller likes.
    if (way.ignore > 0 || way.mute > 0) out += 300s;
    for (const auto& each : plan_.events) {
      if (each.what == mishap::cut && each.who == caller_of(got).name) out += each.lasts + 25s;
    }
    out += got.what->writes_every * (got.what->words * got.what->word_size / 100 + 10);
    out += got.what->reads_every * (got.what->words * (got.what->word_size / 500 + 2) + 40);
    return out;
  }

  void time(const heard& got) {
    if (got.how == ending::pending || got.how == ending::hung_up || got.how == ending::no_door) return;
    if (got.how == ending::broken && waits_in_vain(got)) return;
    const auto& l = plan_.limits;
    const auto bound = got.what->stream ? std::max(l.max_stream, l.request_timeout) : l.request_timeout;
    const auto took =
        got.ended - got.begun - (may_loop(got) ? got.what->reads_every * (l.max_stream / 100ms) : 0ms);
    if (took > bound + slack(got)) {
      find("deadline",
           fmt::format("{} took {} ms of {} and {}", got.tag, duration_cast<milliseconds>(took).count(),
                       bound.count(), duration_cast<milliseconds>(slack(got)).count()));
    }
  }

  // Nobody who has begun to answer is waited for longer than that.
  void idle(const heard& got) {
    if (!got.what->stream) return;
    for (const auto& each : visits(got.tag)) {
      const auto silent = each.what->busy_until - each.what->answered;
      if (each.what->streams && silent > plan_.limits.idle_timeout + 10ms) {
        find("idle", fmt::format("{} waits {} ms for {}, which has begun", got.tag,
                                 duration_cast<milliseconds>(silent).count(), each.at->name));
      }
    }
  }

  // Never beyond its reach, never to a node that is configured no more, and to one alone where it says so.
  void travel(const heard& got) {
    std::set<std::string> asked;
    for (const auto& each : visits(got.tag)) {
      asked.insert(each.at->name);
      if (!allows(bound_of(got), each.at->where)) {
        find("reach", fmt::format("{} may go as far as {} and went to {} ({})", got.tag, to_string(bound_of(got)),
                                  each.at->name, to_string(each.at->where)));
      }
      const auto gone = saw_.gone_since.find(each.at->name);
      const auto* door = door_lines_[got.tag];
      if (gone != saw_.gone_since.end() && door && read_at(*door, got.tag) > gone->second) {
        find("reload", got.tag + " went to " + each.at->name + ", which is configured no more");
      }
    }
    if (got.what->fallback == false && asked.size() > 1) {
      find("fallback", fmt::format("{} asked {} nodes and may ask one", got.tag, asked.size()));
    }
    const bool told = got.how == ending::whole && !got.node.empty();
    if (told && !asked.contains(got.node)) find("story", got.tag + " says that " + got.node + " answered");
    if (got.how == ending::whole && got.node.empty()) find("story", got.tag + " does not say who answered");
    if (told && !expected_names(got).contains(got.node)) find("story", got.tag + " was to stay elsewhere");
  }

  // "node/model" stays there.
  std::set<std::string> expected_names(const heard& got) const {
    std::set<std::string> out;
    const auto slash = got.what->model.find('/');
    for (const auto& each : plan_.providers) {
      if (slash == std::string::npos || each.name == got.what->model.substr(0, slash) || plan_.unknown_model_auto)
        out.insert(each.name);
    }
    return out;
  }

  static instant read_at(const line& on, const std::string& tag) {
    const auto found = std::ranges::find(on.questions, tag, &question::tag);
    return found == on.questions.end() ? instant::max() : found->asked;
  }

  void attempts(const heard& got) {
    int fresh = 0, reused = 0;
    for (const auto& each : visits(got.tag)) ++(each.reused ? reused : fresh);
    const int most = got.what->fallback == false ? 1 : plan_.limits.attempts;
    // A pooled connection that dies before the first byte of an answer is replaced once: not an attempt.
    if (fresh > most || reused > most) {
      find("attempts",
           fmt::format("{} asked {} times and {} times again, and may ask {}", got.tag, fresh, reused, most));
    }
    int got_there = 0;
    for (const auto& [name, tags] : saw_.posts) got_there += static_cast<int>(std::ranges::count(tags, got.tag));
    if (got_there > 2 * most) {
      find("attempts", fmt::format("{} came to providers {} times, and may {}", got.tag, got_there, most));
    }
  }

  // Once the node can know that its caller has gone, nobody works for it any more.
  void hang_up(const heard& got) {
    const auto* door = door_lines_[got.tag];
    if (!door || door->ended == never || door->questions.back().tag != got.tag) return;
    for (const auto& each : visits(got.tag)) {
      if (each.what->asked > door->ended || each.what->busy_until > door->ended + 1ms) {
        find("hang-up", fmt::format("{} has gone, and {} is asked {} ms later", got.tag, each.at->name,
                                    duration_cast<milliseconds>(each.what->busy_until - door->ended).count()));
      }
    }
  }

  // A model on this device that is unsure of its answers stands behind while somebody farther up is asked.
  bool gives_way(const visit& to, const visit& one) const {
    return one.at->where == tier::local && std::exp(one.at->logprob) < plan_.limits.escalate_below &&
           to.at->where > tier::local;
  }

  // An attempt beside one that is still waited for.
  bool is_hedge(const std::vector<visit>& all, const visit& one) const {
    return std::ranges::any_of(all, [&](const visit& other) {
      return other.what->asked < one.what->asked && other.what->busy_until > one.what->asked && !gives_way(one, other);
    });
  }

  void hedges() {
    int hedged = 0;
    for (auto& [tag, all] : visits_) {
      if (tag.empty()) continue;
      std::ranges::sort(all, {}, [](const visit& v) { return v.what->asked; });
      for (const auto& each : all) {
        if (!is_hedge(all, each)) continue;
        ++hedged;
        const auto first = all.front().at->where;
        if (each.at->where > first && !plan_.limits.hedge_up && saw_.seen.refused_dials.empty()) {
          find("hedge",
               fmt::format("{} is hedged from {} to {}", tag, to_string(first), to_string(each.at->where)));
        }
      }
    }
    const auto asked = std::ranges::count_if(door_lines_, [](const auto& each) { return each.second != nullptr; });
    const double share = plan_.limits.hedge_share;
    const double most = share > 0 ? std::max(1.0, share * static_cast<double>(asked)) : 0;
    if (hedged > most) find("share", fmt::format("{} of {} requests are hedged", hedged, asked));
  }

  // ---- what must succeed

  bool untroubled(const provider& of) const {
    using fake::going_on;
    return is_clean(of.link) && !of.discovers && of.prefill == going_on::continues &&
           of.asked == going_on::continues &&
           std::ranges::all_of(of.plays, [](const play& p) { return is_healthy(p.how); }) &&
           std::ranges::none_of(plan_.events, [&](const event& e) { return e.who == of.name; });
  }
  static bool is_slow(const play& of) {
    return of.how.first_token > 0ms || of.how.gap > 0ms || of.how.pause > 0ms ||
           of.how.fault == fake::fault::stall;
  }
  // It fails in a way that is another node's chance, or not at all; and if it makes a request wait, not for long.
  static bool leaves_a_chance(const provider& of) {
    using enum fake::fault;
    return is_clean(of.link) && std::ranges::all_of(of.plays, [](const play& p) {
             if (p.how.first_token > 2s || p.how.gap > 20ms) return false;
             return p.how.status != 400 && p.how.status != 413 && p.how.status != 422 && p.how.fault != endless &&
                    p.how.fault != no_done && p.how.fault != short_body;
           });
  }

  // Where somebody who is well may be asked, the caller has an answer.
  void luck(const heard& got) {
    if (got.how == ending::whole || got.how == ending::hung_up || got.key == caller::wrong_key) return;
    if (got.how != ending::refused || got.error_code == "bodies_in_flight") return;  // form() looks at these
    const bool lines = std::ranges::any_of(plan_.providers, [](const provider& p) { return p.places > 0; });
    if (lines || saw_.stopped != never || !plan_.events.empty() || got.what->fallback == false || slow_to_ask(got))
      return;
    if (got.key >= 0 && !plan_.keys[static_cast<std::size_t>(got.key)].models.empty()) return;
    const bool all_well = std::ranges::all_of(plan_.providers, [&](const provider& p) { return untroubled(p); });
    const bool all_bear = std::ranges::all_of(plan_.providers, leaves_a_chance);
    const auto slow = std::ranges::count_if(
        plan_.providers, [](const provider& p) { return std::ranges::any_of(p.plays, is_slow); });
    std::size_t models = 0;
    for (const auto& each : plan_.providers) models += each.models.size();
    // Each may be asked twice: one that takes no prefill is asked in another way.
    const bool budget = std::cmp_less_equal(2 * models, plan_.limits.attempts);
    if (!all_well && !(all_bear && slow <= 1 && budget)) return;
    const bool by_auto = got.what->model == "auto";
    const auto* named = plan_.find(got.what->model.substr(0, got.what->model.find('/')));
    const bool by_node = named && got.what->model.contains('/') && !got.what->model.ends_with("/nothing");
    for (const auto& each : plan_.providers) {
      if (!untroubled(each) || !allows(bound_of(got), each.where)) continue;
      if (by_auto || (by_node && named == &each)) {
        find("luck", fmt::format("{} was refused ({} {}), and {} is well", got.tag, got.status, got.error_code,
                                 each.name));
        return;
      }
    }
  }

  // ---- one provider

  // Never more at once than it has places.
  void places(const provider& of) {
    if (of.places == 0) return;
    std::vector<const question*> all;
    for (const auto& [tag, list] : visits_) {
      for (const auto& each : list) {
        if (!tag.empty() && each.at == &of) all.push_back(each.what);
      }
    }
    for (const auto* each : all) {
      const auto beside = std::ranges::count_if(all, [&](const question* other) {
        return other->asked <= each->asked && other->busy_until > each->asked;
      });
      if (beside > of.places) {
        return find("places", fmt::format("{} has {} places and is asked {} at once", of.name, of.places, beside));
      }
    }
  }

  // Which play answered which question: they come in one order, unless some were lost on the way.
  void rest(const provider& of) {
    if (!is_clean(of.link) || is_crashed(of)) return;
    std::vector<visit> all;
    for (auto& [tag, list] : visits_) {
      if (tag.empty()) continue;
      for (const auto& each : list) {
        if (each.at == &of) all.push_back(each);
      }
    }
    std::ranges::sort(all, {}, [](const visit& v) { return v.what->asked; });
    const auto& posts = saw_.posts.find(of.name)->second;
    for (std::size_t i = 0; i < posts.size() && i < of.plays.size(); ++i) {
      const auto rests = of.plays[i].rests_for;
      if (rests == 0ms || (of.plays[i].how.status == 503 && has_other_models(of))) continue;
      const auto found = std::ranges::find_if(all, [&](const visit& v) { return v.what->tag == posts[i]; });
      // Where one tag came twice, or its asker went away before it heard, nothing is known.
      if (found == all.end() || std::ranges::count(posts, posts[i]) > 1) continue;
      const auto* door = door_lines_[posts[i]];
      if (!door || door->ended < found->what->busy_until + 1ms) continue;
      if (found->what->busy_until == found->on->closed && found->on->closed - found->what->asked > 1s) continue;
      for (const auto& each : all) {
        // Whoever was connecting when it asked for its rest goes through with it.
        const bool under_way = !each.reused && each.on->dialled <= found->what->busy_until;
        if (!under_way && each.what->asked > found->what->busy_until + 1ms &&
            each.what->asked < found->what->busy_until + rests - 2s) {
          find("rest",
               fmt::format("{} asked for {} ms of rest and is asked for {} after {} ms", of.name, rests.count(),
                           each.what->tag,
                           duration_cast<milliseconds>(each.what->asked - found->what->busy_until).count()));
          return;
        }
      }
    }
  }

  // A 503 speaks for one of them.
  bool has_other_models(const provider& of) const {
    const auto asks_for_another = [&](const ask& what) { return what.model == of.name + "/nothing"; };
    return of.discovers || of.models.size() > 1 || std::ranges::any_of(plan_.callers, [&](const caller& who) {
             return std::ranges::any_of(who.asks, asks_for_another);
           });
  }

  bool is_crashed(const provider& of) const {
    return std::ranges::any_of(plan_.events, [&](const event& e) { return e.who == of.name; });
  }

  // While a place is gone it is tried a few times, not by everybody.
  void storm(const provider& of) {
    for (const auto& each : plan_.events) {
      if (each.what != mishap::crash || each.who != of.name) continue;
      std::string address;
      for (const auto& [at, name] : saw_.node_at) {
        if (name == of.name) address = at;
      }
      const auto tried = std::ranges::count(saw_.seen.refused_dials, address);
      const double span = std::chrono::duration<double>(each.lasts).count();
      // Three faults open the breaker, whoever is on the way then is one more; after that one probe at a time,
      // after 1, 2, 4 ... 30 seconds. A discovery knocks every half a minute. Each dial may be two.
      const double most = 3 + static_cast<double>(plan_.callers.size()) + std::log2(span + 2) + span / 15 + 2;
      const bool only_this = is_clean(of.link) && std::ranges::count(plan_.events, of.name, &event::who) == 1;
      if (only_this && static_cast<double>(tried) > most) {
        find("storm", fmt::format("{} was gone for {} s and tried {} times", of.name, span, tried));
      }
    }
  }

  // ---- the end of the run

  void the_end() {
    if (!saw_.came_to_rest) return find("rest of the run", "the run does not come to its end");
    if (saw_.bad_reload_taken) find("reload", "a broken configuration was taken");
    if (saw_.good_reload_refused) find("reload", "a good configuration was refused");
    if (saw_.open_after_stop > 0) {
      find("stop", fmt::format("{} callers are connected after the stop", saw_.open_after_stop));
    }
    if (saw_.open_after_all > 0) find("left", fmt::format("{} connections outlive the node", saw_.open_after_all));
    if (!saw_.ran_dry) find("left", "something is still to happen after the node has gone");
    if (saw_.metrics.empty()) return;
    if (!saw_.metrics.contains("meshai_connections 1\n")) {
      const auto at = saw_.metrics.find("\nmeshai_connections");
      find("left", "callers are counted that have gone: " + saw_.metrics.substr(at + 1, 24));
    }
    for (const auto& each : saw_.last_answers) {
      const auto* at = plan_.find(each.tag.substr(3));
      const bool allowed = allows(bound_of(each), at->where) &&
                           (each.key < 0 || plan_.keys[static_cast<std::size_t>(each.key)].models.empty());
      if (allowed && each.how != ending::whole) {
        find("recovery",
             fmt::format("{} is well and does not answer: {} {}", at->name, each.status, each.error_code));
      }
      if (!allowed && each.how == ending::whole && !allows(bound_of(each), at->where)) {
        find("reach", at->name + " answers beyond its reach");
      }
    }
  }

  const plan& plan_;
  const record& saw_;
  std::map<std::string, std::vector<visit>> visits_;
  std::map<std::string, const line*> door_lines_;
  std::vector<finding> found_;
};

}  // namespace

std::vector<finding> judge(const plan& of, const record& saw) {
  return court(of, saw).run();
}

}  // namespace meshai::simulation
