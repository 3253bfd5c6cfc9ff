// A store that stops taking writes in the middle of one and comes back: what was acknowledged
// stays, no number is given twice, and nothing needs a restart. The store is the memory plugin
// behind a connection that the test ends and restores.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "journal/keys.hpp"
#include "journal/testing_fixture.hpp"

namespace rhizome {
namespace {

using namespace testing_support;
using testing::ElementsAre;
using testing::HasSubstr;

// What becomes of the next write.
enum class Fate { kWritten, kAppliedAndAnswerLost, kLostOnItsWay, kFails };

// A remote store as its plugin sees it. One at a time: the table has no place for a context.
class Remote {
 public:
  Remote() { current = this; }
  ~Remote() { current = nullptr; }

  use::Store open() { return must(use::Store::open({&kTable, &kResolve}, nullptr, "{}", "")); }
  // The next write fares so, and the connection ends with it where that fails.
  std::atomic<Fate> next{Fate::kWritten};
  std::function<void()> before_answer = [] {};  // runs when the connection has ended
  void come_back() {
    away = false;
    report(RZ_STORE_READY, "");
  }
  void lose(ByteView key) {  // as a replica that was behind
    const rz_store_op op{RZ_STORE_DELETE, 0, to_abi(key), {nullptr, 0}};
    const rz_store_batch batch{&op, 1, RZ_STORE_SYNCED, 0, {}};
    ASSERT_EQ(memory()->write(store, &batch, nullptr), RZ_OK);
  }
  std::atomic<bool> away{false};
  std::atomic<int> writes{0}, questions{0};
  bool reports = true;

 private:
  static inline Remote* current = nullptr;
  static const rz_store* memory() {
    static const rz_store* const table = store_table("memory").store;
    return table;
  }
  void report(std::uint32_t state, ByteView cause) const {
    if (reports) host->state(host->context, state, to_abi(cause));
  }
  std::int32_t write(const rz_store_batch& batch, rz_error* error) {
    const auto answer = [error](std::int32_t code, const char* why) {
      if (error != nullptr) std::snprintf(error->message, sizeof error->message, "%s", why);
      return code;
    };
    if (away) return answer(RZ_AWAY, "no connection");
    ++writes;
    const Fate fate = next.exchange(Fate::kWritten);
    marker.assign(reinterpret_cast<const char*>(batch.marker), sizeof batch.marker);
    applied = fate == Fate::kWritten || fate == Fate::kAppliedAndAnswerLost;
    if (applied && memory()->write(store, &batch, error) != RZ_OK) return RZ_INTERNAL;
    if (fate == Fate::kWritten) return RZ_OK;
    if (fate == Fate::kFails) {
      report(RZ_STORE_READ_ONLY, "no space");
      return answer(RZ_NO_SPACE, "no space");
    }
    away = true;
    report(RZ_STORE_AWAY, "the connection ended");
    before_answer();
    return answer(RZ_AWAY, "the connection ended");
  }

  static const rz_store kTable;
  static const rz_store_resolve kResolve;

  void* store = nullptr;
  const rz_host_store* host = nullptr;
  std::string marker;
  bool applied = false;
};

const rz_store Remote::kTable = {
    [](const rz_host* given, rz_bytes, rz_bytes, void** out, rz_error* error) {
      current->host =
          static_cast<const rz_host_store*>(given->get_interface(given->context, RZ_HOST_STORE_ID));
      *out = current;
      return memory()->open(given, {nullptr, 0}, {nullptr, 0}, &current->store, error);
    },
    [](void* self) { memory()->close(static_cast<Remote*>(self)->store); },
    [](void* self, const rz_store_batch* batch, rz_error* error) {
      return static_cast<Remote*>(self)->write(*batch, error);
    },
    [](void* self, const rz_bytes* keys, std::uint64_t count, const rz_store_found* found,
       rz_error* error) {
      return memory()->get(static_cast<Remote*>(self)->store, keys, count, found, error);
    },
    [](void* self, rz_bytes lower, rz_bytes upper, std::uint32_t reverse, void** cursor,
       rz_error* error) {
      return memory()->cursor_open(static_cast<Remote*>(self)->store, lower, upper, reverse, cursor,
                                   error);
    },
    [](void* cursor, rz_store_entry* entries, std::uint64_t capacity, std::uint64_t* count,
       rz_error* error) { return memory()->cursor_next(cursor, entries, capacity, count, error); },
    [](void* cursor) { memory()->cursor_close(cursor); }};

const rz_store_resolve Remote::kResolve = {
    [](void* handle, const std::uint8_t* asked, std::uint32_t* out, rz_error*) {
      auto& self = *static_cast<Remote*>(handle);
      ++self.questions;
      if (self.away) return std::int32_t{RZ_AWAY};
      EXPECT_EQ(view(asked, RZ_STORE_MARKER_SIZE), self.marker) << "about the last batch";
      *out = self.applied ? 1 : 0;
      return std::int32_t{RZ_OK};
    }};

class Outage : public testing::Test {
 protected:
  void open(std::chrono::milliseconds patience = {}) {
    Journal::Options options;
    options.self = self_.public_key();
    options.wall_ms = [] { return std::uint64_t{1'800'000'000'000}; };
    options.patience = patience;
    options.post = [this](std::function<void()> task) { posted_.push_back(std::move(task)); };
    options.on_store_state = [this](const StoreStatus& now) { states_.push_back(now.state); };
    journal_ = must(Journal::open(remote_.open(), options));
    journal_->on_commit([this](Seq first, Seq last, std::span<const Statement> statements) {
      for (Seq seq = first; seq <= last; ++seq) committed_.push_back(seq);
      for (const Statement& one : statements) labels_.push_back(one.last());
    });
  }
  // A new delta of ours, which gets the next number.
  Result<Appended> append() {
    DeltaBatch batch;
    writer_.say(batch, "e", "p", ++said_);
    Append append;
    append.as_of = journal_->last();
    append.deltas = {batch[0]};
    append.number = {id_of(batch[0])};
    append.number_as = &self_;
    last_id_ = append.number[0];
    return journal_->append(append);
  }
  bool holds(const DeltaId& id) const {
    std::vector<Journal::Held> held;
    must(journal_->find(std::vector<DeltaId>{id}, held));
    return held[0].seq != 0;
  }
  void run_posted() {
    for (const auto& task : std::exchange(posted_, {})) task();
  }
  std::uint64_t numbered() const {
    const auto own = journal_->origin(self_.public_key(), journal_->epoch());
    return own ? own->last : 0;
  }

  const SigningKey self_ = key_of(99);
  Writer writer_{1};
  double said_ = 0;
  Remote remote_;
  std::vector<std::function<void()>> posted_;
  std::vector<use::StoreState> states_;
  std::vector<Seq> committed_;
  std::vector<std::uint64_t> labels_;
  DeltaId last_id_;
  std::unique_ptr<Journal> journal_;
};

TEST_F(Outage, AWriteWhoseAnswerWasLostCountsOnceTheStoreSaysThatItIsThere) {
  open();
  must(append().status());
  remote_.next = Fate::kAppliedAndAnswerLost;
  EXPECT_EQ(append().code(), Code::kAway);
  const DeltaId in_doubt = last_id_;
  EXPECT_EQ(journal_->last(), 1u) << "it is not known yet";
  const int writes = remote_.writes;
  EXPECT_EQ(append().code(), Code::kAway);
  EXPECT_EQ(remote_.writes, writes) << "nothing is written while it is in doubt";
  remote_.come_back();
  run_posted();
  EXPECT_EQ(journal_->last(), 2u);
  EXPECT_TRUE(holds(in_doubt));
  EXPECT_THAT(committed_, ElementsAre(1, 2)) << "those who follow the journal hear of it";
  must(append().status());
  EXPECT_EQ(numbered(), 3u);
  EXPECT_THAT(labels_, ElementsAre(1, 2, 3)) << "no number twice, none left out";
}

TEST_F(Outage, AWriteThatWasLostOnItsWayNeverCountsAndItsNumberIsGivenToTheNext) {
  open();
  must(append().status());
  remote_.next = Fate::kLostOnItsWay;
  EXPECT_EQ(append().code(), Code::kAway);
  const DeltaId lost = last_id_;
  remote_.come_back();
  must(append().status());
  EXPECT_FALSE(holds(lost));
  EXPECT_EQ(journal_->last(), 2u);
  EXPECT_THAT(labels_, ElementsAre(1, 2));
  EXPECT_EQ(remote_.questions, 1);
}

TEST_F(Outage, AWriteThatWaitsGetsItsAnswerWhenTheStoreIsBackInTime) {
  for (const Fate fate : {Fate::kAppliedAndAnswerLost, Fate::kLostOnItsWay}) {
    open(std::chrono::minutes(1));
    const Seq before = journal_->last();
    std::thread back;
    remote_.before_answer = [&] {
      back = std::thread([&] {
        while (journal_->store_status().state == use::StoreState::kReady) std::this_thread::yield();
        remote_.come_back();
      });
    };
    remote_.next = fate;
    const Result<Appended> appended = append();
    back.join();
    ASSERT_TRUE(appended.ok()) << appended.status().to_string();
    EXPECT_THAT(appended->seqs, ElementsAre(before + 1));
    EXPECT_TRUE(holds(last_id_));
    EXPECT_EQ(journal_->last(), before + 1) << "written once";
    journal_.reset();
  }
}

TEST_F(Outage, AFullStoreIsReadOnWrittenAgainAndItsStateIsKnown) {
  open();
  must(append().status());
  remote_.next = Fate::kFails;
  EXPECT_EQ(append().code(), Code::kNoSpace);
  EXPECT_EQ(journal_->store_status().state, use::StoreState::kReadOnly);
  EXPECT_EQ(journal_->store_status().cause, "no space");
  EXPECT_EQ(journal_->store_status().since_ms, 1'800'000'000'000);
  const Status refused = append().status();
  EXPECT_EQ(refused.code(), Code::kReadOnly);
  EXPECT_THAT(refused.message(), HasSubstr("no space"));
  EXPECT_EQ(journal_->set_note("a", "b").code(), Code::kReadOnly);
  DeltaBatch read;
  EXPECT_TRUE(journal_->read(std::vector<Seq>{1}, read).ok()) << "reads go on";
  remote_.come_back();
  must(append().status());
  must(journal_->set_note("a", "b"));
  EXPECT_THAT(states_, ElementsAre(use::StoreState::kReadOnly, use::StoreState::kReady));
}

TEST_F(Outage, AStoreThatReportsNothingIsReadOnlyAfterAFailedWrite) {
  remote_.reports = false;
  open();
  remote_.next = Fate::kFails;
  EXPECT_EQ(append().code(), Code::kNoSpace);
  EXPECT_EQ(journal_->store_status().state, use::StoreState::kReadOnly);
  EXPECT_EQ(append().code(), Code::kReadOnly);
}

TEST_F(Outage, AStoreThatIsAwayAgainWhenItIsAskedIsAskedAgain) {
  open();
  remote_.next = Fate::kAppliedAndAnswerLost;
  EXPECT_EQ(append().code(), Code::kAway);
  remote_.come_back();
  remote_.away = true;
  EXPECT_EQ(append().code(), Code::kAway);
  EXPECT_EQ(journal_->last(), 0u);
  remote_.come_back();
  run_posted();
  EXPECT_EQ(journal_->last(), 1u);
  EXPECT_EQ(remote_.questions, 2);
}

TEST_F(Outage, AnEpochThatBeganInDoubtIsTheRunningOneIfItIsThere) {
  for (const Fate fate : {Fate::kAppliedAndAnswerLost, Fate::kLostOnItsWay}) {
    open();
    const std::uint64_t epoch = journal_->epoch();
    remote_.next = fate;
    EXPECT_EQ(journal_->begin_epoch(epoch).code(), Code::kAway);
    EXPECT_EQ(journal_->epoch(), epoch);
    remote_.come_back();
    run_posted();
    EXPECT_EQ(journal_->epoch(), fate == Fate::kAppliedAndAnswerLost ? epoch + 1 : epoch);
    journal_.reset();
  }
}

// A promoted replica, a restored copy: its next numbers were given already.
TEST_F(Outage, AStoreThatComesBackWithoutWhatItAcknowledgedIsWrittenNoMore) {
  open();
  must(append().status());
  must(append().status());
  remote_.next = Fate::kLostOnItsWay;
  EXPECT_EQ(append().code(), Code::kAway);
  remote_.lose(keys::record(2));
  remote_.come_back();
  const Status refused = append().status();
  EXPECT_EQ(refused.code(), Code::kCorrupt);
  EXPECT_THAT(refused.message(), HasSubstr("it holds 1 deltas"));
  EXPECT_EQ(append().code(), Code::kCorrupt);
  EXPECT_EQ(numbered(), 2u);
}

TEST_F(Outage, AJournalMayEndWhileAWriteIsInDoubt) {
  open();
  remote_.next = Fate::kAppliedAndAnswerLost;
  EXPECT_EQ(append().code(), Code::kAway);
  journal_.reset();
  run_posted();
}

}  // namespace
}  // namespace rhizome
