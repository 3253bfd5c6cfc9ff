// The codecs of feeds: what is encoded decodes to the same, and nothing else is taken.
#include "feeds/messages.hpp"

#include <gtest/gtest.h>

namespace rhizome::feeds {
namespace {

Cursor cursor_of(std::uint8_t number) {
  Cursor cursor;
  cursor.publisher.fill(number);
  cursor.incarnation.fill(number);
  cursor.next = {number, 3};
  cursor.mark.fill(9);
  cursor.covered = {{cursor.publisher, 1, 2}, {{}, 3, 4}};
  return cursor;
}

Batch batch_of() {
  static const std::string kSignature(64, 's');
  Batch batch;
  batch.moved = {{1, {1, 0}, {9, 2}, {}, true}, {2, {4, 0}, {4, 0}, {}, false}};
  batch.items = {{{}, 4, "manifest", kSignature}, {{1, 2}, 5, "claims", ""}};
  batch.dropped = {{1, {2, 0}, {3, 1}, 17}};
  batch.ended = {{2, Code::kLimit, "too slow"}};
  batch.covered = cursor_of(1).covered;
  return batch;
}

// Every body, cut short, lengthened, or with one byte changed, is refused or means what it says.
template <typename Decode>
void expect_strict(const std::string& bytes, Decode decode) {
  const auto whole = decode(bytes);
  ASSERT_TRUE(whole.ok()) << whole.status().to_string();
  EXPECT_EQ(encode(*whole), bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode(ByteView(bytes).substr(0, size)).ok());
  EXPECT_FALSE(decode(bytes + '\0').ok());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const char flip : {'\x01', '\x20', '\x80'}) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      const auto found = decode(changed);
      if (found.ok()) {
        EXPECT_EQ(encode(*found), changed);
      }
    }
  }
}

// Fault: a batch that said that a subscription ended because the store was away was malformed.
TEST(FeedMessages, CarryEveryCodeAndTakeAnUnknownOneForAnInternalError) {
  Batch batch;
  batch.ended = {{1, Code::kAway, ""}, {2, Code::kCanceled, ""}, {3, static_cast<Code>(4711), ""}};
  const Result<Batch> read = decode_batch(encode(batch));
  ASSERT_TRUE(read.ok()) << read.status().to_string();
  EXPECT_EQ(read->ended[0].code, Code::kAway);
  EXPECT_EQ(read->ended[1].code, Code::kCanceled);
  EXPECT_EQ(read->ended[2].code, Code::kInternal);
}

TEST(FeedMessages, AreTakenInOneFormOnly) {
  Subscribe subscribe;
  subscribe.rule = R"({"@role":"value"})";
  subscribe.start = Start::kCursor;
  subscribe.cursor = cursor_of(7);
  subscribe.policy = Policy::kDropNewest;
  expect_strict(encode(subscribe), decode_subscribe);
  Subscribed subscribed;
  subscribed.number = 300;
  subscribed.by_labels = true;
  expect_strict(encode(subscribed), decode_subscribed);
  Tail tail;
  tail.credit = 1u << 20;
  tail.entries = {{1, {5, 0}}, {2, {6, 1}}};
  tail.ended = {3};
  expect_strict(encode(tail), decode_tail);
  Query query;
  query.rule = "true";
  query.cursor = cursor_of(3);
  query.limit = 10;
  expect_strict(encode(query), decode_query);
  expect_strict(encode(batch_of()), decode_batch);
}

TEST(FeedMessages, ACursorWithoutItsStartIsRefused) {
  Subscribe subscribe;
  subscribe.rule = "true";
  subscribe.start = Start::kCursor;
  EXPECT_FALSE(decode_subscribe(encode(subscribe)).ok());
  subscribe.start = Start::kNow;
  subscribe.cursor = cursor_of(1);
  EXPECT_FALSE(decode_subscribe(encode(subscribe)).ok());
}

TEST(FeedMessages, ATokenIsItsCursorInText) {
  const std::string token = to_token(cursor_of(5));
  EXPECT_EQ(token.substr(0, 4), "rz1.");
  const auto cursor = from_token(token);
  ASSERT_TRUE(cursor.ok());
  EXPECT_EQ(*cursor, cursor_of(5));
  for (const std::string& other : {token.substr(0, 20), "x" + token, token + "!", std::string()})
    EXPECT_EQ(from_token(other).code(), Code::kInvalid);
  // Found by the fuzzer: the base64 reader took bytes above 127 for letters.
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string other = token;
    other[i] = static_cast<char>(other[i] | 0x80);
    EXPECT_EQ(from_token(other).code(), Code::kInvalid) << "byte " << i;
  }
}

}  // namespace
}  // namespace rhizome::feeds
