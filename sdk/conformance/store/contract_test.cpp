// Order, batches, cursors and bounds: what every store does.
#include <map>
#include <thread>

#include "harness.hpp"

namespace rhizome::conformance {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST_F(StoreTest, KeysComeInByteOrderBothWays) {
  use::Store store = open();
  for (const char* key : {"b", "a", "ab", "\xff", "\x01"}) put(store, key, key);
  EXPECT_THAT(all(store), ElementsAre(Pair("\x01", "\x01"), Pair("a", "a"), Pair("ab", "ab"),
                                      Pair("b", "b"), Pair("\xff", "\xff")));
  EXPECT_THAT(all(store, "a", "b", true), ElementsAre(Pair("ab", "ab"), Pair("a", "a")));
}

TEST_F(StoreTest, BoundsAreHalfOpenAndEmptyRangesAreEmpty) {
  use::Store store = open();
  for (const char* key : {"a", "b", "c"}) put(store, key, "");
  EXPECT_THAT(all(store, "a", "c"), ElementsAre(Pair("a", ""), Pair("b", "")));
  EXPECT_TRUE(all(store, "b", "b").empty());
  EXPECT_TRUE(all(store, "d", "").empty());
  EXPECT_TRUE(all(store, "c", "a").empty());
  EXPECT_TRUE(all(store, "c", "a", true).empty());
  EXPECT_THAT(all(store, "b", "", true), ElementsAre(Pair("c", ""), Pair("b", "")));
}

TEST_F(StoreTest, KeysAndValuesMayHoldAnyBytes) {
  use::Store store = open();
  const std::string key("\0k\xff\0", 4), value("\0\0v", 3);
  put(store, key, value);
  EXPECT_EQ(store.get(key)->value(), value);
  put(store, key, "");
  EXPECT_EQ(store.get(key)->value(), "");
}

TEST_F(StoreTest, GetCallsForEachKeyThatExistsInTheOrderAsked) {
  use::Store store = open();
  put(store, "a", "1");
  put(store, "c", "3");
  const std::vector<ByteView> keys{"c", "b", "a"};
  std::vector<std::pair<std::size_t, std::string>> found;
  ASSERT_TRUE(
      store.get(keys, [&](std::size_t i, ByteView value) { found.emplace_back(i, value); }).ok());
  EXPECT_THAT(found, ElementsAre(Pair(0, "3"), Pair(2, "1")));
}

TEST_F(StoreTest, ABatchIsAppliedInOrder) {
  use::Store store = open();
  use::StoreBatch batch;
  batch.put("a", "1");
  batch.remove("a");
  batch.put("b", "1");
  batch.put("b", "2");
  batch.remove("never there");
  ASSERT_TRUE(store.write(batch, use::Durability::kBuffered).ok());
  EXPECT_THAT(all(store), ElementsAre(Pair("b", "2")));
}

TEST_F(StoreTest, ABatchWithABadKeyChangesNothing) {
  use::Store store = open();
  use::StoreBatch batch;
  batch.put("good", "1");
  batch.put("", "2");
  EXPECT_EQ(store.write(batch, use::Durability::kBuffered).code(), Code::kInvalid);
  use::StoreBatch long_key;
  long_key.put("good", "1");
  long_key.put(std::string(1025, 'k'), "2");
  EXPECT_EQ(store.write(long_key, use::Durability::kBuffered).code(), Code::kInvalid);
  EXPECT_TRUE(all(store).empty());
  put(store, std::string(1024, 'k'), "as long as allowed");
}

TEST_F(StoreTest, AnOpenCursorDoesNotSeeLaterWrites) {
  use::Store store = open();
  for (int i = 0; i < 300; ++i) put(store, "k" + std::to_string(1000 + i), "old");
  auto cursor = store.cursor("", "");
  ASSERT_TRUE(cursor.ok());
  ASSERT_NE(cursor->next(), nullptr);
  for (int i = 0; i < 300; ++i) put(store, "k" + std::to_string(1000 + i), "new");
  put(store, "z", "new");
  int seen = 1;
  while (const rz_store_entry* entry = cursor->next()) {
    EXPECT_EQ(view(entry->value), "old");
    ++seen;
  }
  EXPECT_EQ(seen, 300);
}

TEST_F(StoreTest, ACursorSeesItsStateAlsoAfterDeletesAndCompaction) {
  use::Store store = open();
  put(store, "a", "old");
  auto cursor = store.cursor("", "");
  ASSERT_TRUE(cursor.ok());
  put(store, "a", "new");
  use::StoreBatch batch;
  batch.remove("a");
  ASSERT_TRUE(store.write(batch, use::Durability::kBuffered).ok());
  if (store.tables().maintain != nullptr) {
    ASSERT_TRUE(store.compact().ok());
  }
  const rz_store_entry* entry = cursor->next();
  ASSERT_NE(entry, nullptr) << cursor->status().to_string();
  EXPECT_EQ(view(entry->value), "old");
  EXPECT_FALSE(store.get("a")->has_value());
}

TEST_F(StoreTest, AtLeast64CursorsAreOpenAtOnce) {
  use::Store store = open();
  std::vector<use::StoreCursor> cursors;
  for (unsigned i = 0; i < RZ_STORE_CURSORS; ++i) {
    put(store, "k" + std::to_string(100 + i), "value");
    auto cursor = store.cursor("", "");
    ASSERT_TRUE(cursor.ok()) << i << ": " << cursor.status().to_string();
    cursors.push_back(std::move(*cursor));
  }
  for (std::size_t i = 0; i < cursors.size(); ++i) {
    std::size_t seen = 0;
    while (cursors[i].next() != nullptr) ++seen;
    EXPECT_EQ(seen, i + 1) << "each as of its opening";
    EXPECT_EQ(cursors[i].next(), nullptr) << "the end stays the end";
    EXPECT_TRUE(cursors[i].status().ok());
  }
}

TEST_F(StoreTest, ABatchWithoutOpsIsInvalid) {
  use::Store store = open();
  EXPECT_EQ(store.write(use::StoreBatch(), use::Durability::kSynced).code(), Code::kInvalid);
  EXPECT_EQ(store.watch().state(), use::StoreState::kReady);
}

TEST_F(StoreTest, KeysThatNoStoreHoldsAreMissingAndNoError) {
  use::Store store = open();
  EXPECT_FALSE(store.get("")->has_value());
  EXPECT_FALSE(store.get(std::string(5000, 'k'))->has_value());
}

TEST_F(StoreTest, ItsManifestSaysWhereTheDataLies) {
  const int places = (subject().declares(RZ_STORE_CAPABILITY_LOCAL) ? 1 : 0) +
                     (subject().declares(RZ_STORE_CAPABILITY_REMOTE) ? 1 : 0) +
                     (subject().declares(RZ_STORE_CAPABILITY_VOLATILE) ? 1 : 0);
  EXPECT_EQ(places, 1) << "exactly one capability of local, remote and volatile";
  if (subject().declares(RZ_STORE_CAPABILITY_REMOTE)) {
    EXPECT_NE(subject().resolve, nullptr) << "a remote store offers " RZ_STORE_RESOLVE_ID;
  }
}

TEST_F(StoreTest, AWholeCallStopsWhereItsSinkSaysSo) {
  use::Store store = open();
  put(store, "a", "1");
  put(store, "b", "2");
  int calls = 0;
  const rz_store_found sink{&calls, [](void* context, std::uint64_t, rz_bytes) {
                              ++*static_cast<int*>(context);
                              return std::int32_t{RZ_LIMIT};
                            }};
  const rz_bytes keys[] = {to_abi("a"), to_abi("b")};
  rz_error error{};
  EXPECT_EQ(store.tables().store->get(store.handle(), keys, 2, &sink, &error), RZ_LIMIT);
  EXPECT_EQ(calls, 1);
}

TEST_F(StoreTest, ErrorsMayBeAskedForWithoutABlock) {
  use::Store store = open();
  const rz_store_op bad{RZ_STORE_PUT, 0, {nullptr, 0}, {nullptr, 0}};
  const rz_store_batch batch{&bad, 1, RZ_STORE_BUFFERED, 0, {}};
  EXPECT_EQ(store.tables().store->write(store.handle(), &batch, nullptr), RZ_INVALID);
}

TEST_F(StoreTest, BehavesLikeAnOrderedMapUnderRandomWork) {
  use::Store store = open();
  std::map<std::string, std::string> model;
  for (int round = 0; round < 400; ++round) {
    use::StoreBatch batch;
    for (std::size_t op = 0, ops = random_() % 20; op < ops; ++op) {
      const std::string key = "k" + std::to_string(random_() % 200);
      if (random_() % 3 == 0) {
        batch.remove(key);
        model.erase(key);
      } else {
        const std::string value(random_() % 300, static_cast<char>('a' + random_() % 26));
        batch.put(key, value);
        model[key] = value;
      }
    }
    if (batch.size() == 0) continue;
    ASSERT_TRUE(store.write(batch, use::Durability::kBuffered).ok());
    if (round % 50 == 0 && store.tables().maintain != nullptr) {
      ASSERT_TRUE(store.compact().ok());
    }
  }
  const auto found = all(store);
  EXPECT_EQ(found, (std::vector<std::pair<std::string, std::string>>(model.begin(), model.end())));
  auto backwards = all(store, "", "", true);
  std::reverse(backwards.begin(), backwards.end());
  EXPECT_EQ(backwards, found);
}

TEST_F(StoreTest, ReadersGoOnWhileAWriterWrites) {
  use::Store store = open();
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int r = 0; r < 3; ++r)
    readers.emplace_back([&] {
      while (!stop) {
        // Pairs are written together: a reader never sees one without the other.
        const auto entries = all(store);
        EXPECT_EQ(entries.size() % 2, 0u);
      }
    });
  for (int i = 0; i < 300; ++i) {
    use::StoreBatch batch;
    batch.put("a" + std::to_string(i), "x");
    batch.put("b" + std::to_string(i), "x");
    ASSERT_TRUE(store.write(batch, use::Durability::kBuffered).ok());
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(all(store).size(), 600u);
}

}  // namespace
}  // namespace rhizome::conformance
