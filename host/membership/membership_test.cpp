// Invitations and who may speak, over a journal in memory.
#include "membership/membership.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "journal/testing.hpp"

namespace rhizome {
namespace {

using testing::HasSubstr;
using testing_support::key_of;

NodeKey node(std::uint8_t number) { return key_of(number).public_key(); }
LinkKey link(std::uint8_t number) {
  LinkKey key{};
  EXPECT_TRUE(link_key_of(node(number), key.data()));
  return key;
}

// The memory store, but that the test has a say before each write.
struct WatchedStore {
  static inline std::function<Status()> before_write;
  static const rz_store* memory() {
    static const rz_store* const table = testing_support::store_table("memory").store;
    return table;
  }
  static use::StoreTables table() {
    static const rz_store watched = [] {
      rz_store made = *memory();
      made.write = [](void* self, const rz_store_batch* batch, rz_error* error) {
        const Status before = before_write ? before_write() : Status();
        if (!before.ok()) return static_cast<std::int32_t>(before.code());
        return memory()->write(self, batch, error);
      };
      return made;
    }();
    use::StoreTables tables = testing_support::store_table("memory");
    tables.store = &watched;
    return tables;
  }
};

struct MembershipTest : testing::Test {
  ~MembershipTest() override { WatchedStore::before_write = {}; }
  std::unique_ptr<Journal> journal = [] {
    auto store = use::Store::open(WatchedStore::table(), nullptr, "{}", "");
    Journal::Options options;
    options.self = node(1);
    options.wall_ms = [] { return std::uint64_t{1000}; };
    return testing_support::must(
        Journal::open(testing_support::must(std::move(store)), std::move(options)));
  }();
  std::unique_ptr<Membership> open(AdmissionMode mode) {
    auto made = Membership::load(*journal, mode);
    EXPECT_TRUE(made.ok()) << made.status().to_string();
    return std::move(*made);
  }
};

TEST(InvitationLine, IsReadBackAsItWasWritten) {
  Invitation invitation{node(1), "tcp://[::1]:7700", "my fabric, ours", {}};
  invitation.ticket.fill(0xa5);
  const std::string line = to_line(invitation);
  EXPECT_THAT(line, HasSubstr(",fabric=my%20fabric%2c%20ours,ticket=a5a5"));
  const auto read = parse_invitation(line + "\n");
  ASSERT_TRUE(read.ok()) << read.status().to_string();
  EXPECT_EQ(read->key, invitation.key);
  EXPECT_EQ(read->address, invitation.address);
  EXPECT_EQ(read->fabric, invitation.fabric);
  EXPECT_EQ(read->ticket, invitation.ticket);
}

TEST(InvitationLine, HasNothingThatAShellWouldChange) {
  const std::string line = to_line({node(1), "tcp://10.0.0.1:7700", "a & b; `c` $d", {}});
  EXPECT_EQ(line.find_first_of(" &;`$?*#\"'()<>|\\!~"), std::string::npos) << line;
}

TEST(InvitationLine, CutAnywhereIsRefusedWithWhatWasExpected) {
  const std::string line = to_line({node(1), "tcp://10.0.0.1:7700", "default", {}});
  for (std::size_t size = 0; size < line.size(); ++size)
    EXPECT_THAT(parse_invitation(line.substr(0, size)).status().message(), HasSubstr("expected"));
}

TEST(InvitationLine, AnAddressThatCouldSteerAConfigOrATerminalIsRefused) {
  for (const char* address : {"tcp://h:1\nnode:", "tcp://h:1 x", "tcp://h\"", "tcp://h'",
                              "a\x1b[2J", "tcp://h\\n", "tcp://\xff", "\t"})
    EXPECT_FALSE(parse_invitation(to_line({node(1), address, "default", {}})).ok()) << address;
  EXPECT_FALSE(parse_invitation(to_line({node(1), "tcp://h:1", "\xff", {}})).ok());
  EXPECT_FALSE(parse_invitation(to_line({node(1), "tcp://h:1", std::string(129, 'x'), {}})).ok());
}

TEST_F(MembershipTest, ATicketLetsInOneNodeAndThatOneAgain) {
  const auto members = open(AdmissionMode::kAllowList);
  EXPECT_FALSE(members->may_connect(link(2), 0));
  const auto ticket = members->invite(60, 1000);
  ASSERT_TRUE(ticket.ok());
  EXPECT_TRUE(members->may_connect(link(2), 1000));
  EXPECT_FALSE(members->may_speak(link(2)));
  EXPECT_TRUE(members->redeem(*ticket, node(2), "b", 2000).ok());
  EXPECT_TRUE(members->may_speak(link(2)));
  EXPECT_TRUE(members->redeem(*ticket, node(2), "b", 2000).ok());
  const Status again = members->redeem(*ticket, node(3), "c", 2000);
  EXPECT_EQ(again.code(), Code::kDenied);
  EXPECT_THAT(again.message(), HasSubstr("used by another node"));
  EXPECT_FALSE(members->may_connect(link(3), 2000));
}

TEST_F(MembershipTest, AnExpiredOrUnknownTicketLetsNobodyIn) {
  const auto members = open(AdmissionMode::kAllowList);
  const auto ticket = members->invite(60, 1000);
  ASSERT_TRUE(ticket.ok());
  EXPECT_THAT(members->redeem(*ticket, node(2), "b", 61'000).message(), HasSubstr("expired"));
  EXPECT_THAT(members->redeem({}, node(2), "b", 1000).message(), HasSubstr("no such invitation"));
  EXPECT_FALSE(members->may_speak(link(2)));
  EXPECT_FALSE(members->may_connect(link(2), 61'000));
}

TEST_F(MembershipTest, WhomAnInvitationLetInIsKnownAfterARestart) {
  Invitation ours{node(5), "tcp://10.0.0.5:7700", "default", {}};
  ours.ticket.fill(1);
  {
    const auto members = open(AdmissionMode::kAllowList);
    const auto ticket = members->invite(60, 1000);
    ASSERT_TRUE(ticket.ok());
    ASSERT_TRUE(members->redeem(*ticket, node(2), "b", 2000).ok());
    ASSERT_TRUE(members->meet(node(2), "b", {"tcp://10.0.0.2:7700"}, 3000).ok());
    EXPECT_TRUE(members->has_news()) << "until it is stored, or something else is";
    ASSERT_TRUE(members->accept(ours, 4000).ok());
    ASSERT_TRUE(members->invite(60, 4000).ok());
  }
  const auto members = open(AdmissionMode::kAllowList);
  EXPECT_TRUE(members->may_speak(link(2)));
  EXPECT_EQ(members->invitations(5000), 1u);
  EXPECT_EQ(members->ticket_for(node(5)), ours.ticket);
  const auto nodes = members->acquaintances();
  ASSERT_EQ(nodes.size(), 2u);
  EXPECT_EQ(nodes[0].addresses, std::vector<std::string>{"tcp://10.0.0.5:7700"});
  EXPECT_EQ(nodes[1].addresses, std::vector<std::string>{"tcp://10.0.0.2:7700"});
}

// Fault: the lock was held while the note was written, and the transport's thread waited for the
// disk to hear who may connect.
TEST_F(MembershipTest, WhoMayConnectIsAnsweredWhileTheNoteIsWritten) {
  const auto members = open(AdmissionMode::kAllowList);
  int writes = 0;
  WatchedStore::before_write = [&] {
    ++writes;
    EXPECT_TRUE(members->may_connect(link(2), 1000));
    EXPECT_FALSE(members->expects(link(4)));
    return Status();
  };
  const auto ticket = members->invite(60, 1000);
  ASSERT_TRUE(ticket.ok());
  EXPECT_TRUE(members->redeem(*ticket, node(2), "b", 2000).ok());
  EXPECT_TRUE(members->meet(node(2), "b", {"tcp://10.0.0.2:7700"}, 3000).ok());
  EXPECT_EQ(writes, 2) << "who was met is written down by the next store";
  EXPECT_TRUE(members->store().ok());
  EXPECT_TRUE(members->store().ok());
  EXPECT_EQ(writes, 3);
}

TEST_F(MembershipTest, AnInvitationThatCouldNotBeWrittenDownLetsNobodyConnect) {
  const auto members = open(AdmissionMode::kAllowList);
  WatchedStore::before_write = [] { return Status(Code::kNoSpace, "full"); };
  EXPECT_FALSE(members->invite(60, 1000).ok());
  EXPECT_FALSE(members->may_connect(link(2), 1000));
}

TEST_F(MembershipTest, OnFirstUseANameBelongsToTheKeyThatCameFirst) {
  const auto members = open(AdmissionMode::kFirstUse);
  members->configured(link(1), node(1), "a");
  EXPECT_TRUE(members->meet(node(2), "b", {}, 1000).ok());
  EXPECT_TRUE(members->meet(node(2), "b", {}, 1000).ok());
  EXPECT_THAT(members->meet(node(3), "b", {}, 1000).message(), HasSubstr("belongs to another key"));
  EXPECT_EQ(members->meet(node(3), "a", {}, 1000).code(), Code::kDenied);
  EXPECT_TRUE(members->meet(node(3), "c", {}, 1000).ok());
  ASSERT_TRUE(members->forget(node(2)).ok());
  EXPECT_TRUE(members->meet(node(4), "b", {}, 1000).ok());
}

TEST_F(MembershipTest, StrangersPushOutStrangersAndNobodyWhoWasInvited) {
  const auto members = open(AdmissionMode::kOpen);
  const auto ticket = members->invite(60, 1);
  ASSERT_TRUE(ticket.ok());
  ASSERT_TRUE(members->redeem(*ticket, node(1), "friend", 1).ok());
  for (std::size_t i = 0; i < 2 * Membership::kMaxAcquaintances; ++i) {
    std::array<std::uint8_t, 32> seed{};
    std::memcpy(seed.data() + 8, &i, sizeof i);
    ASSERT_TRUE(members->meet(SigningKey::from_seed(seed).public_key(), "s", {}, 1000 + i).ok());
  }
  EXPECT_EQ(members->acquaintances().size(), Membership::kMaxAcquaintances);
  EXPECT_TRUE(members->expects(link(1)));
}

TEST_F(MembershipTest, PeersOfTheConfigAreNotForgotten) {
  const auto members = open(AdmissionMode::kAllowList);
  members->configured(link(1), node(1), "a");
  EXPECT_EQ(members->forget(node(1)).code(), Code::kDenied);
  EXPECT_EQ(members->forget(node(2)).code(), Code::kNotFound);
  EXPECT_TRUE(members->may_speak(link(1)));
}

}  // namespace
}  // namespace rhizome
