// What the two halves of reconciliation share. Private to host/sync.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>

#include "admission/admission.hpp"
#include "journal/sketch.hpp"
#include "links/links.hpp"
#include "sync/sync_service.hpp"

namespace rhizome::sync {

class Context {
 public:
  Context(Journal& given_journal, Admission& given_admission, Links& given_links,
          SyncOptions given_options)
      : journal(given_journal),
        admission(given_admission),
        links(given_links),
        options(given_options),
        work(Strand::make(given_links.executor())) {}

  Journal& journal;
  Admission& admission;
  Links& links;  // not touched once stopped
  const SyncOptions options;
  // Reads of many ids, decoding and admission, one at a time, off the fabric's strand.
  const std::shared_ptr<Strand> work;
  std::atomic<bool> stopped{false};

  // Whether `shareable` is quick by now: the first one after a start may read all ids.
  std::atomic<bool> gathered{false};
  // The set as it is; who asks within a second for one that did not grow shares the copy.
  Result<std::shared_ptr<const Shareable>> shareable();

  struct Counters {
    std::atomic<std::uint64_t> sessions{0}, in_sync{0}, sketched{0}, keyed{0}, ranged{0}, failed{0},
        fetched{0}, offered{0}, broken_promises{0}, received_bytes{0}, sent_bytes{0}, served{0};
  } counters;

 private:
  std::mutex mutex_;
  std::shared_ptr<const Shareable> copy_;  // guarded by mutex_
  Seq copied_at_ = 0;                      // guarded by mutex_
  std::uint64_t copied_ns_ = 0;            // guarded by mutex_
};

inline constexpr std::uint64_t kMillisecond = 1'000'000;

// Sixteen bytes that nobody could have known: out of a signature, which the same seed of a
// simulation makes again. Not secret afterwards.
inline std::array<std::uint8_t, 16> fresh_salt(Links& links) {
  std::string drawn = "rhizome.salt.v1";
  for (int i = 0; i < 2; ++i) {
    const std::uint64_t word = links.executor().random();
    drawn.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  const Signature signature = links.key().sign(drawn);
  const Hash256 hash = blake3(view(signature.data(), signature.size()));
  std::array<std::uint8_t, 16> salt{};
  std::copy_n(hash.begin(), salt.size(), salt.begin());
  return salt;
}

}  // namespace rhizome::sync
