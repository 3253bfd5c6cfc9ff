// Two nodes' reconciliation on real threads over links in memory: for ThreadSanitizer, and to see
// that both rungs and bodies work while both sides write.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

#include "journal/testing.hpp"
#include "sync/sync_service.hpp"

namespace rhizome {
namespace {

using namespace testing_support;

// One node; its frames reach the other's strand by a post.
class Side final : public Links {
 public:
  Side(std::uint8_t number, Executor& executor)
      : executor_(executor), strand_(Strand::make(executor)), key_(key_of(number)) {
    self_.link[0] = number;
    self_.key = key_.public_key();
    self_.provides = {"reconcile"};
    Journal::Options options;
    options.self = key_.public_key();
    options.post = [&executor](Task task) { executor.post(std::move(task)); };
    journal_ = must(Journal::open(
        must(use::Store::open(store_table("memory"), nullptr, "{}", directory_.path())), options));
    admission_ = std::make_unique<Admission>(*journal_, executor, Admission::Policy{});
    SyncOptions fast;
    fast.quiet_ms = 1;
    fast.pause_ms = 5;
    fast.check_ms = 20;
    service_ = std::make_shared<SyncService>(*journal_, *admission_, *this, fast);
  }

  const SigningKey& key() const override { return key_; }
  Executor& executor() override { return executor_; }
  Strand& strand() override { return *strand_; }
  Log& log() override { return log_; }
  std::vector<LinkedPeer> peers() const override { return {other_->self_}; }
  const LinkedPeer* peer(const LinkKey&) const override { return &other_->self_; }
  const LinkedPeer* peer_of(const NodeKey&) const override { return &other_->self_; }
  void ask(const LinkKey&, wire::Kind kind, wire::Lane, ByteView body, std::uint64_t,
           ReplyHandler handler) override {
    const std::uint64_t number = ++asked_;
    pending_[number] = std::move(handler);
    other_->strand_->post([this, number, kind, bytes = std::string(body)] {
      wire::Frame frame;
      frame.kind = kind;
      frame.body = bytes;
      other_->service_->request(self_, frame, {number, self_.link, self_.key});
    });
  }
  Status answer(const Asked& asked, wire::Kind kind, wire::Lane, ByteView body,
                bool last) override {
    other_->hear(asked.request, Code::kOk, kind, body, last);
    return {};
  }
  void refuse(const Asked& asked, Code code, std::string_view) override {
    other_->hear(asked.request, code, wire::Kind::kError, {}, true);
  }

  void hear(std::uint64_t number, Code code, wire::Kind kind, ByteView body, bool last) {
    strand_->post([this, number, code, kind, last, bytes = std::make_shared<std::string>(body)] {
      const auto found = pending_.find(number);
      if (found == pending_.end()) return;
      const ReplyHandler handler = found->second;
      if (last) pending_.erase(found);
      wire::Frame frame;
      frame.kind = kind;
      frame.body = *bytes;
      handler(code, bytes, frame, last);
    });
  }
  void write(std::size_t count, const std::string& entity) {
    for (std::size_t i = 0; i < count; ++i) {
      const Made made = say(key_, entity, "c", static_cast<double>(i));
      const Arrival arrival{made.claims, made.signature_bytes(), true};
      Batch batch;
      batch.arrivals = {&arrival, 1};
      must(admission_->admit(batch));
    }
  }

  Executor& executor_;
  const std::shared_ptr<Strand> strand_;
  const SigningKey key_;
  Log log_{LogLevel::kError, Log::Format::kText};
  LinkedPeer self_;
  Side* other_ = nullptr;
  TemporaryDirectory directory_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Admission> admission_;
  std::shared_ptr<SyncService> service_;
  std::uint64_t asked_ = 0;                        // the strand's
  std::map<std::uint64_t, ReplyHandler> pending_;  // the strand's
};

TEST(ReconciliationOnThreads, EndsInEqualSetsWhileBothSidesWrite) {
  ThreadExecutor executor(4);
  Side a(1, executor), b(2, executor);
  a.other_ = &b;
  b.other_ = &a;
  a.write(300, "a");
  b.write(200, "b");
  for (Side* side : {&a, &b})
    side->strand_->post([side] { side->service_->greeted(side->other_->self_); });
  std::thread writers[] = {std::thread([&a] { a.write(300, "more a"); }),
                           std::thread([&b] { b.write(300, "more b"); })};
  const auto beat = [&] {
    for (Side* side : {&a, &b}) side->strand_->post([side] { side->service_->heartbeat(); });
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  };
  for (int i = 0; i < 50; ++i) beat();
  for (std::thread& writer : writers) writer.join();
  for (int i = 0; i < 20'000 && a.journal_->state_digest() != b.journal_->state_digest(); ++i)
    beat();
  EXPECT_EQ(a.journal_->state_digest(), b.journal_->state_digest());
  EXPECT_EQ(a.journal_->stats().deltas, 1100u);
  a.service_->stop();
  b.service_->stop();
  executor.stop();
}

}  // namespace
}  // namespace rhizome
