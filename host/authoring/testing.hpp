// For tests alone: a journal over the memory store with its two doors, and plugins' tables, loaded
// as the host loads them. One thread but for the executor's wall clock.
#pragma once

#include <dlfcn.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "authoring/authoring.hpp"
#include "authoring/lines.hpp"
#include "journal/testing_basics.hpp"
#include "rhizome/abi/filter.h"
#include "rhizome/use/resolver.hpp"

namespace rhizome::testing_support {

// The standard resolvers, opened without a node.
inline use::Resolvers standard_resolvers() {
  auto opened =
      use::Resolvers::open({plugin_table<rz_resolver>("standard", RZ_RESOLVER_ID),
                            plugin_table<rz_resolver_fold>("standard", RZ_RESOLVER_FOLD_ID)},
                           std::make_shared<use::BareHost>(), "{}");
  if (!opened.ok()) throw std::runtime_error(opened.status().to_string());
  return *opened;
}

// Runs nothing by itself; its wall clock stands where the test puts it.
class StillExecutor final : public Executor {
 public:
  std::atomic<std::uint64_t> now_ms{1700000000000};
  std::uint64_t monotonic_ns() const override { return now_ms * 1000000; }
  std::uint64_t wall_ms() const override { return now_ms; }
  void post(Task) override {}
  void post_after(std::uint64_t, Task) override {}
  void parallel(std::size_t count, const std::function<void(std::size_t)>& body) override {
    for (std::size_t i = 0; i < count; ++i) body(i);
  }
  std::uint64_t random() override { return 4; }
};

// One delta as bytes.
struct Made {
  std::string claims, signature;
  DeltaId id() const { return DeltaId::of_claims(claims); }
};
inline Made make(const SigningKey& author, double timestamp, const std::vector<Pointer>& pointers,
                 bool sign = true) {
  Made made;
  if (const Status status = encode_claims(author.author(), timestamp, pointers, made.claims);
      !status.ok())
    throw std::runtime_error(status.message());
  if (sign) {
    const Signature signature = author.sign(made.id().raw());
    made.signature = view(signature.data(), signature.size());
  }
  return made;
}
inline Made say(const SigningKey& author, double timestamp, ByteView entity, ByteView context,
                const Target& value) {
  return make(author, timestamp, {{"subject", EntityRef{entity, context}}, {"value", value}});
}
inline Made negation(const SigningKey& author, double timestamp, const DeltaId& target) {
  const std::string hex = target.hex();
  return make(author, timestamp, {{"negates", DeltaRef{hex}}});
}
inline Made manifest(const SigningKey& author, double timestamp, const std::vector<Made>& members) {
  std::vector<std::string> ids;
  std::vector<Pointer> pointers;
  for (const Made& member : members) ids.push_back(member.id().hex());
  for (const std::string& id : ids) pointers.push_back({"rhizomatic.txn.member", DeltaRef{id}});
  return make(author, timestamp, pointers);
}

// A node without peers.
struct Doors {
  StillExecutor executor;
  const SigningKey node = key_of(9), author = key_of(1), other = key_of(2);
  std::unique_ptr<Journal> journal = open();
  Admission admission{*journal, executor, {}};
  Authoring authoring{*journal, admission, author, node, executor};

  std::unique_ptr<Journal> open() {
    auto store = use::Store::open(store_table("memory"), nullptr, "{}", "");
    if (!store.ok()) throw std::runtime_error(store.status().to_string());
    Journal::Options options;
    options.self = node.public_key();
    options.wall_ms = [this] { return executor.wall_ms(); };
    auto opened = Journal::open(std::move(*store), options);
    if (!opened.ok()) throw std::runtime_error(opened.status().to_string());
    return std::move(*opened);
  }
  // As a peer would bring them.
  void receive(const std::vector<Made>& deltas) {
    std::vector<Arrival> arrivals;
    for (const Made& delta : deltas) arrivals.push_back({delta.claims, delta.signature});
    Batch batch;
    batch.arrivals = arrivals;
    const Result<Admitted> admitted = admission.admit(batch);
    if (!admitted.ok()) throw std::runtime_error(admitted.status().to_string());
  }
  static std::vector<Draft> drafts(const std::vector<std::string>& lines) {
    return drafts_of(std::vector<ByteView>(lines.begin(), lines.end()));
  }
  Written write(const std::vector<std::string>& lines, const WriteOptions& options = {}) {
    Result<Written> written = authoring.write(drafts(lines), options);
    if (!written.ok()) throw std::runtime_error(written.status().to_string());
    return std::move(*written);
  }
  // The delta at a position, in `read_now` (kept until the next call).
  DeltaView at(Seq seq) {
    read_now.clear();
    if (const Status status = journal->read({&seq, 1}, read_now); !status.ok())
      throw std::runtime_error(status.to_string());
    return read_now[0];
  }
  DeltaBatch read_now;
};

}  // namespace rhizome::testing_support
