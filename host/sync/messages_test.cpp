// Reconcile bodies: what is encoded is decoded, and the sizes that the design promises.
#include "sync/messages.hpp"

#include <gtest/gtest.h>

namespace rhizome::sync {
namespace {

TEST(ReconcileMessages, ComeBackAsTheyWere) {
  const std::string cells(2 * kSketchCellSize, 'c');
  const std::string claims = "claims", signature(64, 's');
  const std::vector<Request> requests = {Compare{Hash256{1}, 1'000'000, {1, 2, 3}},
                                         More{5, 100},
                                         Keyed{SketchKey{7}, kMaxKeyedCells},
                                         Ranges{Salt{9}, "message"},
                                         Want{{ShortId{1}, ShortId{2}}},
                                         Offer{{ShortId{3}}}};
  for (const Request& request : requests) {
    const std::string bytes = encode(request);
    const Result<Request> again = decode_request(bytes);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->index(), request.index());
    EXPECT_EQ(encode(*again), bytes);
  }
  const std::vector<Reply> replies = {Same{}, Differs{10, cells}, Cells{cells},
                                      RangesReply{"message"},
                                      Bodies{{{claims, signature}, {claims, {}}}}};
  for (const Reply& reply : replies) {
    const std::string bytes = encode(reply);
    const Result<Reply> again = decode_reply(bytes);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->index(), reply.index());
    EXPECT_EQ(encode(*again), bytes);
  }
}

TEST(ReconcileMessages, SayInSyncInLessThanAHundredBytes) {
  const std::string asked = encode(Request(Compare{Hash256{}, 1'000'000'000, {}}));
  EXPECT_LT(asked.size() + encode(Reply(Same{})).size(), 100u);
}

TEST(ReconcileMessages, AreRefusedWhereTheyAreMalformed) {
  EXPECT_FALSE(decode_request("").ok());
  EXPECT_FALSE(decode_request("\x81\x01").ok());
  EXPECT_FALSE(decode_reply("\x81\x01 ").ok());
  EXPECT_FALSE(decode_reply(encode(Reply(Cells{"no cell"}))).ok());
  EXPECT_FALSE(decode_request(encode(Request(Keyed{{}, kMaxKeyedCells + 1}))).ok());
  EXPECT_FALSE(decode_request(encode(Request(Want{std::vector<ShortId>(kMaxWanted + 1)}))).ok());
}

}  // namespace
}  // namespace rhizome::sync
