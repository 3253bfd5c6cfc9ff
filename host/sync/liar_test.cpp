// The asking and the answering half against a peer that the test plays: one that promises what it
// does not have, one that floods, and one that plays by the rules over every rung.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "journal/testing.hpp"
#include "sync/index_ranges.hpp"
#include "sync/sync_service.hpp"

namespace rhizome {
namespace {

using namespace testing_support;

constexpr std::uint64_t kSecond = 1'000'000'000;

// What the test's peer says to a request; nothing: it does not answer.
using Says = std::function<std::vector<std::string>(const Result<sync::Request>&)>;

class FakeLinks final : public Links {
 public:
  explicit FakeLinks(Executor& executor)
      : executor_(executor), strand_(Strand::make(executor)), key_(key_of(1)) {
    peer_.link[0] = 7;
    peer_.key = key_of(2).public_key();
    peer_.provides = {"reconcile"};
  }
  const SigningKey& key() const override { return key_; }
  Executor& executor() override { return executor_; }
  Strand& strand() override { return *strand_; }
  Log& log() override { return log_; }
  std::vector<LinkedPeer> peers() const override { return {peer_}; }
  const LinkedPeer* peer(const LinkKey&) const override { return &peer_; }
  const LinkedPeer* peer_of(const NodeKey&) const override { return &peer_; }
  void ask(const LinkKey&, wire::Kind, wire::Lane, ByteView body, std::uint64_t,
           ReplyHandler handler) override {
    ++asked_;
    strand_->post([this, request = std::string(body), handler] {
      const std::vector<std::string> replies = says_(sync::decode_request(request));
      for (std::size_t i = 0; i < replies.size(); ++i) {
        auto bytes = std::make_shared<std::string>(replies[i]);
        heard_ += bytes->size();
        wire::Frame frame;
        frame.kind = wire::Kind::kReconcile;
        frame.body = *bytes;
        handler(Code::kOk, bytes, frame, i + 1 == replies.size());
      }
      if (replies.empty()) handler(Code::kDeadline, std::make_shared<std::string>(), {}, true);
    });
  }
  Status answer(const Asked&, wire::Kind, wire::Lane, ByteView body, bool) override {
    answers_.emplace_back(body);
    return {};
  }
  void refuse(const Asked&, Code code, std::string_view) override { refused_ = code; }
  void distrust(const LinkKey&, std::string_view, double weight) override { distrust_ += weight; }

  LinkedPeer peer_;
  Says says_ = [](const auto&) { return std::vector<std::string>{}; };
  std::size_t asked_ = 0, heard_ = 0;
  std::vector<std::string> answers_;
  Code refused_ = Code::kOk;
  double distrust_ = 0;

 private:
  Executor& executor_;
  const std::shared_ptr<Strand> strand_;
  const SigningKey key_;
  Log log_{LogLevel::kError, Log::Format::kText};
};

class LiarTest : public testing::Test {
 protected:
  LiarTest() : links_(executor_) {
    Journal::Options options;
    options.self = links_.key().public_key();
    journal_ = must(Journal::open(
        must(use::Store::open(store_table("memory"), nullptr, "{}", directory_.path())), options));
    admission_ = std::make_unique<Admission>(*journal_, executor_, Admission::Policy{});
    for (int i = 0; i < 500; ++i) add(say(author_, "e", "c", static_cast<double>(i)));
    service_ = std::make_unique<SyncService>(*journal_, *admission_, links_, SyncOptions{});
  }
  ~LiarTest() override {
    service_->stop();
    executor_.run_for(0);
  }

  void add(const Made& made) {
    const Arrival arrival{made.claims, made.signature_bytes(), true};
    Batch batch;
    batch.arrivals = {&arrival, 1};
    ASSERT_EQ(must(admission_->admit(batch)).added, 1u);
    ids_.push_back(made.id);
  }
  void run_for(std::uint64_t seconds) {
    for (std::uint64_t i = 0; i < seconds; ++i) {
      executor_.run_for(kSecond);
      service_->heartbeat();
      executor_.run_for(0);
    }
  }
  void request(const sync::Request& request) {
    const std::string body = sync::encode(request);
    wire::Frame frame;
    frame.kind = wire::Kind::kReconcile;
    frame.body = body;
    service_->request(links_.peer_, frame, {1, links_.peer_.link, links_.peer_.key});
  }

  SimulatedExecutor executor_{1};
  FakeLinks links_;
  const SigningKey author_ = key_of(9);
  TemporaryDirectory directory_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Admission> admission_;
  std::unique_ptr<SyncService> service_;
  std::vector<DeltaId> ids_;
};

// The peer's set, and every rung answered from it as an honest node does.
struct HonestPeer {
  std::vector<ShortId> ids;
  std::map<ShortId, Made> bodies;

  Sketch sketch(const SketchKey& key, std::size_t cells) const {
    Sketch made(key, cells);
    for (const ShortId& id : ids) made.add(id);
    return made;
  }
  std::vector<std::string> differs(std::size_t count) const {
    const std::string cells = sketch(kSharedSketchKey, count).bytes(0, count);
    return {sync::encode(sync::Reply(sync::Differs{ids.size(), cells}))};
  }
  std::vector<std::string> cells(const SketchKey& key, std::size_t from, std::size_t to) const {
    return {sync::encode(sync::Reply(sync::Cells{sketch(key, to).bytes(from, to)}))};
  }
  std::vector<std::string> operator()(const Result<sync::Request>& request) const {
    if (const auto* compare = std::get_if<sync::Compare>(&*request); compare != nullptr)
      return differs(20);
    if (const auto* more = std::get_if<sync::More>(&*request); more != nullptr)
      return cells(kSharedSketchKey, more->from, more->from + more->cells);
    if (const auto* keyed = std::get_if<sync::Keyed>(&*request); keyed != nullptr)
      return cells(keyed->key, 0, keyed->cells);
    if (const auto* want = std::get_if<sync::Want>(&*request); want != nullptr) {
      sync::Bodies found;
      for (const ShortId& id : want->ids)
        if (const auto body = bodies.find(id); body != bodies.end())
          found.bodies.push_back({body->second.claims, body->second.signature_bytes()});
      return {sync::encode(sync::Reply(found))};
    }
    return {};
  }
};

TEST_F(LiarTest, WhoPromisesWhatItDoesNotHaveIsLeftAloneForEverLonger) {
  std::mt19937_64 chance(1);
  links_.says_ = [&](const Result<sync::Request>& request) {
    // Another thousand ids each time, and none of their bodies.
    HonestPeer peer;
    for (const DeltaId& id : ids_) peer.ids.push_back(short_id(id));
    for (int i = 0; i < 1000; ++i) {
      ShortId id;
      for (std::uint8_t& byte : id) byte = static_cast<std::uint8_t>(chance());
      peer.ids.push_back(id);
    }
    if (std::holds_alternative<sync::Compare>(*request)) return peer.differs(2000);
    return peer(request);
  };
  service_->greeted(links_.peer_);
  run_for(3600);
  const SyncStats stats = service_->stats();
  EXPECT_GE(stats.broken_promises, 3u);
  EXPECT_LE(stats.sessions, 15u) << "the pauses double";
  EXPECT_EQ(stats.fetched, 0u);
  EXPECT_EQ(journal_->stats().deltas, 500u) << "nothing of it is in the journal";
  EXPECT_EQ(links_.distrust_,
            Standing::kBrokenPromise * static_cast<double>(stats.broken_promises));
  EXPECT_LE(links_.heard_, 16u << 20);
}

TEST_F(LiarTest, ForgedCellsLeadToNoFalseDeltaAndEndInBoundedBytes) {
  std::mt19937_64 chance(2);
  const Made other = say(author_, "unasked", "c", 1.0);
  links_.says_ = [&](const Result<sync::Request>& request) -> std::vector<std::string> {
    if (std::holds_alternative<sync::Want>(*request))
      return {sync::encode(
          sync::Reply(sync::Bodies{{{other.claims, other.signature_bytes()}, {"junk", {}}}}))};
    std::string cells((1 + chance() % 3000) * kSketchCellSize, '\0');
    for (char& byte : cells) byte = static_cast<char>(chance() % 3 == 0 ? chance() : 0);
    if (std::holds_alternative<sync::Compare>(*request))
      return {sync::encode(sync::Reply(sync::Differs{chance() % 2000, cells}))};
    return {sync::encode(sync::Reply(sync::Cells{cells}))};
  };
  service_->greeted(links_.peer_);
  run_for(3600);
  EXPECT_EQ(journal_->stats().deltas, 500u);
  EXPECT_LE(service_->stats().sessions, 20u);
  EXPECT_LE(links_.heard_, 16u << 20);
}

TEST_F(LiarTest, IdsThatDoNotDecodeUnderTheSharedKeyAreFoundUnderAnother) {
  HonestPeer peer;
  for (const DeltaId& id : ids_) peer.ids.push_back(short_id(id));
  for (int i = 0; i < 3; ++i) {
    Made made = say(author_, "new", "c", static_cast<double>(i));
    peer.ids.push_back(short_id(made.id));
    peer.bodies[short_id(made.id)] = std::move(made);
  }
  links_.says_ = [&](const Result<sync::Request>& request) {
    std::vector<std::string> replies = peer(request);
    if (!std::holds_alternative<sync::Compare>(*request) &&
        !std::holds_alternative<sync::More>(*request))
      return replies;
    // Twin ids in every cell of the kept sketch: it never comes out.
    sync::Reply reply = must(sync::decode_reply(replies[0]));
    auto* differs = std::get_if<sync::Differs>(&reply);
    ByteView& cells = differs != nullptr ? differs->cells : std::get<sync::Cells>(reply).cells;
    std::string changed(cells);
    for (std::size_t i = 0; i < changed.size(); i += kSketchCellSize) {
      changed[i] = static_cast<char>(changed[i] ^ 0x55);
      changed[i + 18] = static_cast<char>(changed[i + 18] + 2);
    }
    cells = changed;
    return std::vector<std::string>{sync::encode(reply)};
  };
  service_->greeted(links_.peer_);
  run_for(60);
  EXPECT_EQ(service_->stats().fetched, 3u);
  EXPECT_GE(service_->stats().keyed, 1u);
  EXPECT_EQ(links_.distrust_, 0);
}

TEST_F(LiarTest, WhoAsksForTooMuchIsPutOff) {
  for (int i = 0; i < 100; ++i) {
    request(sync::Keyed{SketchKey{}, 100'000});
    executor_.run_for(kSecond / 10);
  }
  EXPECT_EQ(links_.refused_, Code::kBusy);
  std::size_t bytes = 0;
  for (const std::string& answer : links_.answers_) bytes += answer.size();
  EXPECT_LE(bytes, 3 * 100'000 * kSketchCellSize + 1000) << "one read of all ids in five seconds";
  request(sync::More{0, 1});
  executor_.run_for(kSecond);
  EXPECT_EQ(links_.refused_, Code::kNotFound) << "nothing was compared";
}

TEST_F(LiarTest, RangesOverTheJournalFindExactlyWhatDiffers) {
  const std::uint64_t seed = std::random_device()();
  std::mt19937_64 chance(seed);
  SCOPED_TRACE("seed " + std::to_string(seed));
  TemporaryDirectory directory;
  Journal::Options options;
  options.self = links_.key().public_key();
  const auto theirs = must(Journal::open(
      must(use::Store::open(store_table("memory"), nullptr, "{}", directory.path())), options));
  DeltaBatch batch;
  std::vector<DeltaId> only_theirs;
  for (int i = 0; i < 3000; ++i) {
    const Made made = say(author_, "r", "c", static_cast<double>(i));
    add_to(batch, made);
    if (chance() % 20 == 0)
      only_theirs.push_back(made.id);
    else
      add(made);
  }
  Append append;
  append.deltas = views_of(batch);
  must(theirs->append(append));
  const sync::Salt salt{1, 2, 3};
  const auto our_items = must(sync::IndexRanges::build(*journal_, salt));
  const auto their_items = must(sync::IndexRanges::build(*theirs, salt));
  const negentropy::Options frames{.frame_limit = 8192, .fan_out = 32};
  negentropy::Session asker(*our_items, frames), answerer(*their_items, frames);
  std::string message = must(asker.initiate());
  for (int round = 0; round < 1000 && !message.empty(); ++round)
    message = must(asker.reconcile(must(answerer.reconcile(message))));
  EXPECT_EQ(asker.have().size(), 500u);
  std::vector<std::string> need, expected;
  for (const auto& id : asker.need()) need.emplace_back(view(id.data(), 20));
  for (const DeltaId& id : only_theirs) expected.emplace_back(id.raw().substr(2, 20));
  std::sort(need.begin(), need.end());
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(need, expected);
}

}  // namespace
}  // namespace rhizome
