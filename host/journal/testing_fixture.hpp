// For the journal's own tests: a journal on either store that is opened anew, and who writes to it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>

#include "journal/journal.hpp"
#include "journal/testing_basics.hpp"
#include "rhizome/delta/codec.hpp"

namespace rhizome::testing_support {

// Deltas for tests: signed by their author, about an entity.
class Writer {
 public:
  explicit Writer(std::uint8_t seed) : key_(key_of(seed)) {}
  const SigningKey& key() const { return key_; }
  DeltaView say(DeltaBatch& batch, ByteView entity, ByteView context, const Target& value) {
    return add(batch, {{"about", EntityRef{entity, context}}, {"value", value}});
  }
  DeltaView add(DeltaBatch& batch, const std::vector<Pointer>& pointers) {
    std::string claims;
    EXPECT_TRUE(encode_claims(key_.author(), ++time_, pointers, claims).ok());
    const Signature signature = key_.sign(DeltaId::of_claims(claims).raw());
    EXPECT_EQ(decode_claims(claims, view(signature.data(), signature.size()), batch),
              DecodeError::kNone);
    batch.mutable_block(batch.size() - 1)->signature_state = RZ_SIGNATURE_VERIFIED;
    return batch[batch.size() - 1];
  }

 private:
  SigningKey key_;
  double time_ = 0;
};

inline DeltaId id_of(DeltaView delta) { return DeltaId::from_raw(delta.id()); }

class JournalFixture : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    char name[] = "/tmp/rhizome-journal-XXXXXX";
    directory_ = ::mkdtemp(name);
    reopen();
  }
  void TearDown() override {
    journal_.reset();
    std::filesystem::remove_all(directory_);
  }
  Status try_open() {
    journal_.reset();
    auto store = use::Store::open(store_table(GetParam()), nullptr, "{}", directory_);
    if (!store.ok()) return store.status();
    Journal::Options options;
    options.self = self_.public_key();
    options.machine_id = machine_;
    options.boot_id = "boot";
    options.wall_ms = [this] { return wall_ms_; };
    auto opened = Journal::open(std::move(*store), options);
    if (!opened.ok()) return opened.status();
    journal_ = std::move(*opened);
    return {};
  }
  void reopen() {
    const Status opened = try_open();
    ASSERT_TRUE(opened.ok()) << opened.to_string();
  }
  bool durable() const { return std::string(GetParam()) != "memory"; }
  // Appends all deltas of the batch, numbered here.
  Appended append(const DeltaBatch& batch, bool number = true) {
    Append append;
    append.as_of = journal_->last();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      append.deltas.push_back(batch[i]);
      if (number) append.number.push_back(id_of(batch[i]));
    }
    append.number_as = &self_;
    auto appended = journal_->append(append);
    EXPECT_TRUE(appended.ok()) << appended.status().to_string();
    return appended.ok() ? std::move(*appended) : Appended{};
  }
  const SigningKey self_ = key_of(99);
  Writer writer_{1};
  std::string directory_, machine_ = "machine";
  std::uint64_t wall_ms_ = 1'800'000'000'000;
  std::unique_ptr<Journal> journal_;
};

}  // namespace rhizome::testing_support
