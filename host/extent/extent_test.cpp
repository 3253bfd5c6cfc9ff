// Receipts, rosters and what is counted: everything but the wire.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "extent/messages.hpp"
#include "extent/testing.hpp"

namespace rhizome {
namespace {

using extent_testing::Desk;
using extent_testing::key_of;
using testing::ElementsAre;
using testing::HasSubstr;

NodeKey peer(std::uint8_t n) { return key_of(n).public_key(); }

TEST(Receipt, EncodesBackToTheSameBytesAndIsItsHoldersOnly) {
  Desk desk(2);
  desk.write();
  const Receipt receipt = desk.receipt(1, 1);
  const std::string bytes = encode(receipt);
  const Result<Receipt> back = decode_receipt(bytes);
  ASSERT_TRUE(back.ok()) << back.status().to_string();
  EXPECT_EQ(encode(*back), bytes);
  EXPECT_TRUE(is_signed_by_holder(*back));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string forged = bytes;
    forged[i] = static_cast<char>(forged[i] ^ 1);
    const Result<Receipt> other = decode_receipt(forged);
    EXPECT_FALSE(other.ok() && is_signed_by_holder(*other)) << "byte " << i;
  }
}

TEST(Receipt, RangesThatTouchOrRunBackAreRefused) {
  Receipt receipt;
  receipt.number = {1, 1};
  HeldLabels held{peer(3), 7, 10, {}, {{1, 4}, {6, 10}}};
  receipt.held = {held};
  sign(receipt, key_of(1));
  EXPECT_TRUE(decode_receipt(encode(receipt)).ok());
  for (const std::vector<HeldRange>& ranges : {std::vector<HeldRange>{{1, 4}, {5, 10}},
                                               {{6, 10}, {1, 4}},
                                               {{0, 4}},
                                               {{1, 11}},
                                               {{4, 3}}}) {
    receipt.held[0].ranges = ranges;
    EXPECT_FALSE(decode_receipt(encode(receipt)).ok());
  }
}

TEST(Receipt, HolesAreNeverHeldAndTooManyLeaveOutTheLowest) {
  EXPECT_THAT(ranges_without(10, {5}), ElementsAre(HeldRange{1, 4}, HeldRange{6, 10}));
  EXPECT_THAT(ranges_without(3, {1, 3}), ElementsAre(HeldRange{2, 2}));
  std::vector<std::uint64_t> odd;
  for (std::uint64_t n = 1; n < 200; n += 2) odd.push_back(n);
  const std::vector<HeldRange> ranges = ranges_without(200, odd);
  EXPECT_EQ(ranges.size(), kMaxHeldRanges);
  EXPECT_EQ(ranges.back(), (HeldRange{200, 200}));
  const HeldLabels held{{}, 1, 200, {}, ranges};
  EXPECT_FALSE(held.holds(199)) << "a hole";
  EXPECT_TRUE(held.holds(198));
  EXPECT_FALSE(held.holds(2)) << "too little is said, never too much";
}

TEST(ReceiptFrames, EachFormEncodesBackToTheSameBytes) {
  const ReceiptBody bodies[] = {ReceiptPush{{"one", "two"}}, IdentityAsk{}, IdentityAnswer{"three"},
                                ReceiptAsk{2, {peer(1)}, {peer(2)}, {peer(3), peer(4)}}};
  for (const ReceiptBody& body : bodies) {
    const std::string bytes = encode(body);
    const Result<ReceiptBody> back = decode_receipt_body(bytes);
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(encode(*back), bytes);
    EXPECT_FALSE(decode_receipt_body(bytes + "x").ok());
  }
  EXPECT_FALSE(decode_receipt_body(encode(ReceiptBody(ReceiptAsk{kMaxHops + 1, {}, {}, {}}))).ok());
  const std::string roster = encode(RosterBody{3, "signed"});
  EXPECT_EQ(encode(*decode_roster_body(roster)), roster);
}

TEST(Extent, CountsDistinctVotersAndTheWriterOnce) {
  Desk desk(2);
  const Label label = desk.write();
  EXPECT_EQ(desk.extent(label).held, 1u) << "itself";
  EXPECT_EQ(desk.extent(label).voters, 3u);
  EXPECT_EQ(desk.take(desk.receipt(1, 1)), Taken::kNew);
  EXPECT_EQ(desk.extent(label).held, 2u);
  EXPECT_EQ(desk.take(desk.receipt(1, 1)), Taken::kOld) << "the same word again";
  EXPECT_EQ(desk.take(desk.receipt(1, 1, {1, 2})), Taken::kNew);
  EXPECT_EQ(desk.extent(label).held, 2u) << "a voter counts once";
}

TEST(Extent, WhatTheSourceExpressedIsItsWordAndAnothersIsThatItHoldsTheRecord) {
  ExtentOptions options;
  options.peers.resize(2);
  options.peers[0].belief = options.peers[1].belief = 0.8;
  options.peers[0].domain = "north";
  options.peers[1].domain = "south";
  const Desk desk(2, options);
  ExtentSnapshot snapshot(*desk.book);
  Record record;
  record.source = desk.options.peers[0].key;
  EXPECT_DOUBLE_EQ(snapshot.confidence({}, record).belief, 0.8)
      << "it said nothing and passed it on";
  record.confidence = 10;
  EXPECT_DOUBLE_EQ(snapshot.confidence({}, record).belief, 0.8 * 0.5);
  Extent extent;
  extent.others = {desk.options.peers[1].key};
  EXPECT_DOUBLE_EQ(snapshot.confidence(extent, record).belief, 1 - (1 - 0.8 * 0.5) * (1 - 0.8));
}

TEST(Extent, WhatIsNotSyncedIsNotHeldByTheWriterEither) {
  Desk desk(1);
  const Label label = desk.write(use::Durability::kBuffered);
  EXPECT_EQ(desk.extent(label).held, 0u);
  EXPECT_TRUE(desk.book->own_receipt({desk.self.public_key()}).held.empty());
  desk.write();
  EXPECT_EQ(desk.extent(label).held, 1u);
}

TEST(Extent, AHoleThatIsMadeWhileAnotherIsFilledIsNotHeld) {
  Desk desk(0);
  const SigningKey origin = key_of(3);
  const auto made = [&](double n) { return testing_support::say(origin, "e", "p", n); };
  const testing_support::Made late = made(1), held = made(2), never = made(3);
  const auto add = [&](const testing_support::Made& delta, const Statement& statement) {
    DeltaBatch batch;
    testing_support::add_to(batch, delta);
    Append append;
    append.as_of = desk.journal->last();
    append.deltas = {batch[0]};
    append.statements = {statement};
    (void)testing_support::must(desk.journal->append(append));
    desk.book->committed(append.statements);
  };
  const auto ranges = [&] {
    return desk.book->own_receipt({origin.public_key()}).held.at(0).ranges;
  };
  const Statement first = make_statement(origin, 7, 1, Hash256{}, {late.id, held.id});
  add(held, first);
  EXPECT_THAT(ranges(), ElementsAre(HeldRange{2, 2}));
  add(late, make_statement(origin, 7, 3, first.head, {never.id}));
  EXPECT_THAT(ranges(), ElementsAre(HeldRange{1, 2})) << "one hole before, and one now: another";
}

TEST(Extent, ANewerReceiptReplacesAndNeverMerges) {
  Desk desk(1);
  const Label first = desk.write();
  desk.write();
  EXPECT_EQ(desk.take(desk.receipt(1, 2, {5, 9})), Taken::kNew);
  EXPECT_EQ(desk.extent(first).held, 2u);
  Receipt wiped = desk.receipt(1, 2, {6, 1});
  wiped.held.clear();
  sign(wiped, key_of(1));
  EXPECT_EQ(desk.take(wiped), Taken::kNew);
  EXPECT_EQ(desk.extent(first).held, 1u) << "its new life holds nothing";
  EXPECT_EQ(desk.take(desk.receipt(1, 2, {5, 10})), Taken::kOld) << "its old life speaks no more";
  EXPECT_EQ(desk.extent(first).held, 1u);
}

TEST(Extent, AFilteredOrUnsyncedReplicaDoesNotCount) {
  Desk desk(2);
  const Label label = desk.write();
  Receipt filtered = desk.receipt(1, 1);
  filtered.scope = "{\"@entity\":\"e\"}";
  sign(filtered, key_of(1));
  Receipt unsynced = desk.receipt(2, 1);
  unsynced.synced = false;
  sign(unsynced, key_of(2));
  desk.take(filtered);
  desk.take(unsynced);
  EXPECT_EQ(desk.extent(label).held, 1u);
}

TEST(Extent, AHeadThatWeCannotVerifyDoesNotCountUntilWeCan) {
  Desk desk(1);
  const Label label = desk.write();
  Receipt receipt = desk.receipt(1, 1);
  receipt.held[0].head[0] ^= 1;
  sign(receipt, key_of(1));
  desk.take(receipt);
  EXPECT_EQ(desk.extent(label).held, 1u) << "another history under our numbers";
  Receipt ahead = desk.receipt(1, 1, {1, 2});
  ahead.held[0].last = 2;
  ahead.held[0].ranges = {{1, 2}};
  sign(ahead, key_of(1));
  desk.take(ahead);
  EXPECT_EQ(desk.extent(label).held, 1u) << "nobody knows number 2 yet";
}

TEST(Extent, TwoReceiptsOfOneNumberAreTwoNodesUnderOneKeyAndCountForNothing) {
  Desk desk(1);
  const Label label = desk.write();
  desk.take(desk.receipt(1, 1, {4, 4}));
  Receipt other = desk.receipt(1, 1, {4, 4});
  other.held.clear();
  sign(other, key_of(1));
  EXPECT_EQ(desk.take(other), Taken::kConflict);
  EXPECT_EQ(desk.extent(label).held, 1u);
  EXPECT_TRUE(desk.book->holders().at(0).conflict);
  EXPECT_EQ(desk.take(desk.receipt(1, 1, {5, 1})), Taken::kNew);
  EXPECT_EQ(desk.extent(label).held, 2u) << "a new life is one voice again";
}

TEST(Extent, LabelsBehindAForkAreVoidAndThoseBeforeItStay) {
  Desk desk(1);
  const Label first = desk.write(), second = desk.write();
  desk.take(desk.receipt(1, 2));
  std::vector<Statement> ours;
  ASSERT_TRUE(desk.journal->statements(first.origin, first.epoch, 2, 1, ours).ok());
  const Statement other = make_statement(desk.self, first.epoch, 2, ours[0].previous_head,
                                         {DeltaId::of_claims("another")});
  ASSERT_TRUE(*desk.journal->mark_fork(signed_head(other)));
  EXPECT_EQ(desk.extent(first).held, 2u);
  EXPECT_EQ(desk.extent(second).held, 0u);
  EXPECT_EQ(desk.extent(second).state, LabelState::kVoid);
}

TEST(Extent, NumbersOfAClosedEpochThatNobodyHoldsAreLostNotAwaited) {
  Desk desk(1);
  const Label label = desk.write();
  const Label beyond{label.origin, label.epoch, 5};
  EXPECT_EQ(desk.extent(beyond).state, LabelState::kKnown) << "it may still be written";
  ASSERT_TRUE(desk.journal->begin_epoch(desk.journal->epoch()).ok());
  desk.write();
  EXPECT_EQ(desk.extent(beyond).state, LabelState::kLost);
  EXPECT_EQ(desk.extent(label).held, 1u) << "what was held stays";
}

TEST(Extent, IsAUnionOverTheLabelsOfADelta) {
  Desk desk(2);
  const Label here = desk.write();
  Receipt of_other = desk.receipt(1, 1);
  desk.take(of_other);
  desk.take(desk.receipt(2, 1));
  const Label elsewhere{peer(7), 3, 1};
  const Label both[] = {elsewhere, here};
  ExtentSnapshot snapshot(*desk.book);
  EXPECT_EQ(snapshot.of(both).held, 3u);
  EXPECT_EQ(snapshot.of({&elsewhere, 1}).held, 0u);
}

TEST(Roster, ANewerOneByTheSameAuthorityReplacesAndIsStored) {
  const SigningKey authority = key_of(50), stranger = key_of(51);
  ExtentOptions options;
  options.authority = authority.public_key();
  Desk desk(2, options);
  const Label label = desk.write();
  desk.take(desk.receipt(1, 1));
  const auto signed_by = [&](const SigningKey& key, std::uint64_t version,
                             std::vector<Voter> voters) {
    Roster roster;
    roster.version = version;
    roster.voters = std::move(voters);
    sign(roster, key);
    return encode(roster);
  };
  EXPECT_EQ(desk.book->take_roster(signed_by(stranger, 9, {{peer(1), "p1"}})).code(),
            Code::kDenied);
  ASSERT_TRUE(
      desk.book->take_roster(signed_by(authority, 2, {{peer(1), "p1"}, {peer(2), "p2"}})).ok());
  EXPECT_EQ(desk.extent(label).held, 1u) << "this node is no voter now";
  EXPECT_EQ(desk.extent(label).voters, 2u);
  EXPECT_THAT(desk.extent(label).others, ElementsAre(desk.self.public_key()));
  EXPECT_EQ(desk.book->take_roster(signed_by(authority, 2, {{peer(1), "p1"}})).code(), Code::kBusy);
  const ExtentBook reopened(desk.options, *desk.journal, desk.clock);
  EXPECT_EQ(reopened.roster()->version, 2u);
}

TEST(Roster, EncodesBackToTheSameBytes) {
  Roster roster;
  roster.version = 3;
  for (std::uint8_t n = 1; n <= 64; ++n)
    roster.voters.push_back({peer(n), "n" + std::to_string(n)});
  sign(roster, key_of(50));
  const std::string bytes = encode(roster);
  const Result<Roster> back = decode_roster(bytes);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(encode(*back), bytes);
  EXPECT_TRUE(is_signed_by_authority(*back));
  roster.voters.push_back({peer(65), "one too many"});
  sign(roster, key_of(50));
  EXPECT_FALSE(decode_roster(encode(roster)).ok());
}

TEST(Need, IsNeverDowngraded) {
  Roster roster;
  roster.voters = {{peer(1), "a"}, {peer(2), "b"}, {peer(3), "b"}};
  EXPECT_EQ(parse_need("local", roster)->count, 0u);
  EXPECT_EQ(parse_need("majority", roster)->count, 2u);
  EXPECT_EQ(parse_need("all", roster)->count, 3u);
  EXPECT_EQ(parse_need("2", roster)->count, 2u);
  EXPECT_THAT(parse_need("a", roster)->named, ElementsAre(peer(1)));
  EXPECT_THAT(parse_need("4", roster).status().message(), HasSubstr("has 3 voters: a, b, b"));
  EXPECT_THAT(parse_need("b", roster).status().message(), HasSubstr("two voters are named 'b'"));
  EXPECT_THAT(parse_need("most", roster).status().message(), HasSubstr("'most' is no voter"));
  for (const char* bad : {"", "0", "a,", "-1"}) EXPECT_FALSE(parse_need(bad, roster).ok()) << bad;
}

TEST(Holders, VotersAlwaysHaveAPlaceAndStrangersMakeRoom) {
  Desk desk(2);
  desk.write();
  for (std::size_t i = 0; i < ReceiptTable::kMaxHolders + 20; ++i) {
    Receipt receipt = desk.receipt(1, 1);
    std::array<std::uint8_t, 32> seed{};
    seed[0] = static_cast<std::uint8_t>(i);
    seed[1] = 77;
    sign(receipt, SigningKey::from_seed(seed));
    desk.take(receipt);
  }
  EXPECT_EQ(desk.book->holders().size(), ReceiptTable::kMaxHolders);
  EXPECT_EQ(desk.take(desk.receipt(1, 1)), Taken::kNew);
  EXPECT_EQ(desk.take(desk.receipt(2, 1)), Taken::kNew);
  EXPECT_EQ(desk.book->holders().size(), ReceiptTable::kMaxHolders);
}

TEST(Extent, IsReadByAnyThreadWhileReceiptsAndWritesComeIn) {
  Desk desk(2);
  const Label label = desk.write();
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&] {
      while (!done) {
        EXPECT_GE(desk.extent(label).held, 1u) << "the writer's own disk is beyond doubt";
        (void)desk.book->holders();
        (void)desk.book->own_writes();
      }
    });
  for (std::uint64_t n = 2; n <= 200; ++n) {
    desk.write();
    desk.take(desk.receipt(n % 2 == 0 ? 1 : 2, n, {1, n}));
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(desk.extent(label).held, 3u);
}

}  // namespace
}  // namespace rhizome
