// node: what callers spend, kept on disk. Accounts are decided on in memory (ledger); here they are written down,
// many at once and on the pool, and read again when another process (a node that follows this one, `meshai key`)
// wrote.
//
// An attempt that a budget pays for waits until what it may come to is on disk. What a killed node did not settle
// stays there, and counts as spent. Where the file cannot be written such an attempt is refused; others go on.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "dispatch/dispatch.hpp"
#include "env/event.hpp"
#include "env/world.hpp"
#include "front/front.hpp"
#include "ledger/ledger.hpp"
#include "store/store.hpp"

namespace meshai::node {

using limits_by_key = std::map<std::string, ledger::limits, std::less<>>;

class accounts final : public dispatch::purse, public std::enable_shared_from_this<accounts> {
 public:
  // `file`: empty keeps nothing. `on` is the world whose loop calls all but what `purse` has.
  accounts(const env::world& on, std::filesystem::path file);

  // What is on disk, once before anybody comes in. Waits for the disk.
  void begin();
  // The limits of the configuration's keys, and whether totals of usage are kept.
  void use(limits_by_key configured, bool usage);

  // Writes and reads until it is cancelled. `keys_changed` is called when issued() has become another.
  task<void> keep(std::function<void()> keys_changed);
  // Returns once keep() has read the keys as they are on disk now, and `keys_changed` knows of it. First loop.
  task<void> look_again();
  // What is still to be written, after keep() has ended.
  task<void> finish();

  std::shared_ptr<const front::issued_keys> issued() const { return issued_; }
  const std::shared_ptr<ledger::book>& book() const { return book_; }
  void measure(env::metrics& into) const;  // any thread
  // What is wrong with the file and what to do; empty: nothing. Any thread.
  std::string trouble() const;

  // ---- any worker
  std::expected<ledger::hold, ledger::shortage> reserve(std::string_view key, const ledger::claim& what,
                                                        const ledger::moment& at) override;
  task<std::optional<ledger::shortage>> written(executor loop, ledger::hold of) override;
  void settle(const ledger::hold& of, const dispatch::expense& what, instant now) override;

 private:
  struct waiter;
  using totals = std::map<std::string, ledger::amount>;
  // What the pool does at once, and what it found.
  struct round {
    store::batch batch;
    std::vector<std::shared_ptr<waiter>> waiting;                               // one for each that is opened
    std::vector<std::shared_ptr<env::event>> asking;                            // look_again()
    std::map<std::pair<ledger::day_number, std::string>, ledger::amount> paid;  // of `batch`, from accounts
    ledger::day_number today = 0;
    std::optional<error> wrong;
    std::optional<std::vector<store::issued_key>> keys;  // read again
    totals spent;                                        // with them: by others
    bool nothing_there = false;
  };

  task<round> go_round();
  round take();
  void work(round& on);  // on the pool, one at a time
  std::optional<error> write_and_read(round& on);
  void put_back(round& from);
  void conclude(round& done);
  void learn_keys(std::vector<store::issued_key> all);
  void set_limits();
  void complain(const std::string& why);
  void poke();

  env::world world_;
  std::filesystem::path file_;
  std::int64_t holder_ = 0;  // this process
  std::shared_ptr<ledger::book> book_ = std::make_shared<ledger::book>();

  // Of the first loop.
  env::event wake_;
  std::shared_ptr<const front::issued_keys> issued_ = std::make_shared<const front::issued_keys>();
  limits_by_key configured_;
  bool keys_changed_ = false;

  // Of the pool's job.
  std::optional<store::database> open_;
  std::int64_t seen_ = -1;  // version_of_data() when it was read last
  ledger::day_number read_on_ = 0;

  mutable std::mutex mutex_;  // guards what follows
  bool usage_ = false;
  bool broken_ = false;
  bool read_again_ = true;
  std::string trouble_;
  round pending_;
  std::map<std::pair<ledger::day_number, std::string>, ledger::amount>
      paid_;  // on disk, from accounts of this process
};

}  // namespace meshai::node
