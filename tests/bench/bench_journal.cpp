// Rows 1 to 4 of docs/benchmarks.md: ingest, appends, single writers, authoring and bytes on disk,
// each beside libsodium, bare LevelDB or fdatasync in the same run. Every benchmark runs its rival
// and ours in turns and reports both rates and their ratio.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sodium.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "authoring/authoring.hpp"
#include "authoring/lines.hpp"
#include "bare_leveldb.hpp"
#include "journal/testing.hpp"

namespace rhizome {
namespace {

using bench::BareLevelDb;
using bench::RecordedBatch;
using testing_support::add_to;
using testing_support::key_of;
using testing_support::Made;
using testing_support::make_delta;
using testing_support::must;
using testing_support::TemporaryDirectory;

double seconds_of(const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

const SigningKey& author() {
  static const SigningKey key = key_of(1);
  return key;
}

// What an import looks like: a property or a reference of one of `count / 5` entities.
const std::vector<Made>& corpus(std::size_t count) {
  static std::vector<Made> made;
  while (made.size() < count) {
    const std::size_t i = made.size();
    const std::string entity = "subdivision:XX-" + std::to_string(i / 5);
    const std::string text = "The name of subdivision number " + std::to_string(i);
    const std::string parent = "country:" + std::to_string(i % 250);
    static const char* kProperties[] = {"name", "type", "code", "parent", "population"};
    std::vector<Pointer> pointers{{"subject", EntityRef{entity, kProperties[i % 5]}}};
    if (i % 5 == 3) {
      pointers.push_back({"parent", EntityRef{parent, "subdivisions"}});
    } else if (i % 5 == 4) {
      pointers.push_back({"value", static_cast<double>(i * 37)});
    } else {
      pointers.push_back({"value", ByteView(text)});
    }
    made.push_back(make_delta(author(), 1.7e12 + static_cast<double>(i), pointers));
  }
  return made;
}

// The node's own executor: there the state digest is folded.
ThreadExecutor& executor() {
  static ThreadExecutor threads(std::max(1u, std::thread::hardware_concurrency()));
  return threads;
}

struct Opened {
  explicit Opened(use::StoreTables table) {
    Journal::Options options;
    options.post = [](Task task) { executor().post(std::move(task)); };
    options.self = author().public_key();
    options.machine_id = "bench";
    options.boot_id = "bench";
    options.wall_ms = [] { return std::uint64_t{1'800'000'000'000}; };
    journal = must(
        Journal::open(must(use::Store::open(table, nullptr, "{}", directory.path())), options));
  }
  TemporaryDirectory directory;
  std::unique_ptr<Journal> journal;
};

use::StoreTables leveldb_table() {
  static const use::StoreTables table = testing_support::store_table("leveldb");
  return table;
}

void report(benchmark::State& state, std::size_t items, const std::vector<double>& ours,
            const std::vector<double>& bare) {
  const auto count = static_cast<double>(items);
  state.counters["ours_per_s"] = count / median(ours);
  state.counters["bare_per_s"] = count / median(bare);
  state.counters["ratio"] = median(bare) / median(ours);
}

// Row 1: signed deltas from a peer, verified, in every index, synced. Beside: every core verifying.
void verified_ingest(benchmark::State& state) {
  constexpr std::size_t kCount = 20000, kBatch = 2000;
  const auto& made = corpus(kCount);
  const std::size_t cores = std::max(1u, std::thread::hardware_concurrency());
  std::vector<double> ours, bare;
  for (auto unused : state) {
    (void)unused;
    bare.push_back(seconds_of([&] {
      executor().parallel(cores, [&](std::size_t core) {
        for (std::size_t i = core; i < kCount; i += cores) {
          const int bad =
              crypto_sign_verify_detached(made[i].signature.data(), made[i].id.bytes.data(),
                                          made[i].id.bytes.size(), author().public_key().data());
          benchmark::DoNotOptimize(bad);
        }
      });
    }));
    Opened opened(leveldb_table());
    Admission admission(*opened.journal, executor(), {});
    ours.push_back(seconds_of([&] {
      for (std::size_t begin = 0; begin < kCount; begin += kBatch) {
        std::vector<Arrival> arrivals;
        for (std::size_t i = begin; i < begin + kBatch; ++i)
          arrivals.push_back({made[i].claims, made[i].signature_bytes()});
        Batch batch;
        batch.arrivals = arrivals;
        batch.source = key_of(9).public_key();
        must(admission.admit(batch));
      }
    }));
    if (opened.journal->last() != kCount) std::abort();
  }
  report(state, kCount, ours, bare);
}
BENCHMARK(verified_ingest)->Iterations(5)->Unit(benchmark::kMillisecond);

// Row 2: deltas that need no check, `batch` to an append, beside the same entries in bare LevelDB.
void append_verified(benchmark::State& state) {
  const auto per_append = static_cast<std::size_t>(state.range(0));
  const bool synced = state.range(1) != 0;
  const std::size_t count = synced && per_append < 100 ? 4000 : 60000;
  const auto& made = corpus(count);
  std::vector<DeltaBatch> batches(count / per_append);
  for (std::size_t i = 0; i < batches.size() * per_append; ++i)
    add_to(batches[i / per_append], made[i]);
  std::vector<RecordedBatch> writes;
  const auto fill = [&](Journal& journal) {
    for (const DeltaBatch& batch : batches) {
      Append append;
      append.as_of = journal.last();
      append.deltas = testing_support::views_of(batch);
      append.durability = synced ? use::Durability::kSynced : use::Durability::kBuffered;
      must(journal.append(append));
    }
    benchmark::DoNotOptimize(journal.state_digest());
  };
  {
    Opened recorder(bench::recording_table(testing_support::store_table("memory").store, &writes));
    fill(*recorder.journal);
  }
  std::vector<double> ours, bare;
  for (auto unused : state) {
    (void)unused;
    const TemporaryDirectory directory;
    {
      BareLevelDb db(directory.path());
      bare.push_back(seconds_of([&] {
        for (const RecordedBatch& write : writes) db.write(write, synced);
      }));
    }
    Opened opened(leveldb_table());
    ours.push_back(seconds_of([&] { fill(*opened.journal); }));
  }
  report(state, batches.size() * per_append, ours, bare);
}
BENCHMARK(append_verified)
    ->ArgNames({"batch", "synced"})
    ->Args({100, 0})
    ->Args({1000, 0})
    ->Args({100, 1})
    ->Args({1000, 1})
    ->Args({1, 1})
    ->Iterations(5)
    ->Unit(benchmark::kMillisecond);

// Row 2: 64 threads, one synced delta at a time, beside LevelDB grouping the same entries itself.
void single_writers(benchmark::State& state) {
  constexpr std::size_t kThreads = 64, kEach = 150, kCount = kThreads * kEach;
  const auto& made = corpus(kCount);
  std::vector<DeltaBatch> batches(kCount);
  for (std::size_t i = 0; i < kCount; ++i) add_to(batches[i], made[i]);
  std::vector<RecordedBatch> writes;
  const auto put = [&](Journal& journal, std::size_t i) {
    Append append;
    append.as_of = journal.last();
    append.deltas = {batches[i][0]};
    must(journal.append(append));
  };
  {
    Opened recorder(bench::recording_table(testing_support::store_table("memory").store, &writes));
    writes.clear();
    for (std::size_t i = 0; i < kCount; ++i) put(*recorder.journal, i);
  }
  const auto on_all = [](const std::function<void(std::size_t)>& body) {
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < kThreads; ++t)
      threads.emplace_back([&body, t] {
        for (std::size_t i = 0; i < kEach; ++i) body(t * kEach + i);
      });
    for (std::thread& thread : threads) thread.join();
  };
  double group = 0;
  std::vector<double> ours, bare;
  for (auto unused : state) {
    (void)unused;
    const TemporaryDirectory directory;
    {
      BareLevelDb db(directory.path());
      bare.push_back(
          seconds_of([&] { on_all([&](std::size_t i) { db.write(writes[i], true); }); }));
    }
    Opened opened(leveldb_table());
    ours.push_back(seconds_of([&] { on_all([&](std::size_t i) { put(*opened.journal, i); }); }));
    const JournalStats stats = opened.journal->stats();
    group = static_cast<double>(stats.grouped_appends) / static_cast<double>(stats.commits);
  }
  report(state, kCount, ours, bare);
  state.counters["group"] = group;
}
BENCHMARK(single_writers)->Iterations(5)->Unit(benchmark::kMillisecond);

// Row 2: p50 of one durable acknowledgement, beside write + fdatasync of as many bytes.
void one_durable_ack(benchmark::State& state) {
  constexpr std::size_t kCount = 1000;
  const auto& made = corpus(kCount);
  std::vector<double> ours, bare;
  for (auto unused : state) {
    (void)unused;
    Opened opened(leveldb_table());
    const std::string path = opened.directory.path() + "/bare";
    const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
    for (std::size_t i = 0; i < kCount; ++i) {
      DeltaBatch batch;
      add_to(batch, made[i]);
      const std::string bytes(made[i].claims.size() + 300, 'x');
      bare.push_back(seconds_of([&] {
        if (::write(fd, bytes.data(), bytes.size()) < 0 || ::fdatasync(fd) != 0) std::abort();
      }));
      ours.push_back(seconds_of([&] {
        Append append;
        append.as_of = opened.journal->last();
        append.deltas = {batch[0]};
        must(opened.journal->append(append));
      }));
    }
    ::close(fd);
  }
  state.counters["ours_us"] = median(ours) * 1e6;
  state.counters["bare_us"] = median(bare) * 1e6;
  state.counters["ratio"] = median(ours) / median(bare);
}
BENCHMARK(one_durable_ack)->Iterations(2)->Unit(benchmark::kMillisecond);

// Row 3: claims as JSON to signed deltas, admitted, numbered and persisted (buffered), beside
// signing alone.
void authoring(benchmark::State& state) {
  constexpr std::size_t kCount = 20000;
  const auto batch_size = static_cast<std::size_t>(state.range(0));
  const auto& made = corpus(kCount);
  std::vector<std::string> lines(kCount);
  for (std::size_t i = 0; i < kCount; ++i) {
    const std::string n = std::to_string(i);
    lines[i] = R"({"pointers":[{"role":"subject","target":{"id":"subdivision:XX-)" + n +
               R"(","context":"name"}},{"role":"value","target":"The name of subdivision )" + n +
               R"("}]})";
  }
  const SigningKey node = key_of(7);
  std::vector<double> ours, bare;
  for (auto unused : state) {
    (void)unused;
    bare.push_back(seconds_of([&] {
      for (std::size_t i = 0; i < kCount; ++i)  // other benchmarks may have made more
        benchmark::DoNotOptimize(author().sign(made[i].id.raw()));
    }));
    Opened opened(leveldb_table());
    Admission admission(*opened.journal, executor(), {});
    Authoring authoring(*opened.journal, admission, author(), node, executor());
    ours.push_back(seconds_of([&] {
      for (std::size_t begin = 0; begin < kCount; begin += batch_size) {
        const std::vector<ByteView> batch(
            lines.begin() + static_cast<std::ptrdiff_t>(begin),
            lines.begin() + static_cast<std::ptrdiff_t>(begin + batch_size));
        if (must(authoring.write(drafts_of(batch), {Cover::kEach, use::Durability::kBuffered}))
                .added != batch_size)
          std::abort();
      }
    }));
  }
  report(state, kCount, ours, bare);
}
BENCHMARK(authoring)->ArgName("batch")->Arg(100)->Arg(1000)->Iterations(5)->Unit(
    benchmark::kMillisecond);

// Row 4: bytes on disk a delta after compaction, over canonical bytes and signature.
void bytes_on_disk(benchmark::State& state) {
  constexpr std::size_t kCount = 100000, kBatch = 1000;
  const bool is_signed = state.range(0) != 0;
  const auto& made = corpus(kCount);
  const SigningKey node = key_of(7);
  double payload = 0, disk = 0;
  for (auto unused : state) {
    (void)unused;
    Opened opened(leveldb_table());
    payload = 0;
    for (std::size_t begin = 0; begin < kCount; begin += kBatch) {
      DeltaBatch batch;
      Append append;
      for (std::size_t i = begin; i < begin + kBatch; ++i) {
        add_to(batch, made[i]);
        if (!is_signed) std::memset(batch.mutable_block(i - begin)->signature, 0, 64);
        append.number.push_back(made[i].id);
        payload += static_cast<double>(made[i].claims.size() + (is_signed ? 64 : 0));
      }
      append.as_of = opened.journal->last();
      append.deltas = testing_support::views_of(batch);
      append.number_as = &node;
      append.durability = use::Durability::kBuffered;
      must(opened.journal->append(append));
    }
    must(opened.journal->compact());
    opened.journal.reset();
    disk = 0;
    for (const auto& file : std::filesystem::recursive_directory_iterator(opened.directory.path()))
      if (file.is_regular_file() && file.path().filename() != "BALLAST")
        disk += static_cast<double>(file.file_size());
  }
  state.counters["payload_bytes"] = payload / kCount;
  state.counters["disk_bytes"] = disk / kCount;
  state.counters["ratio"] = disk / payload;
}
BENCHMARK(bytes_on_disk)
    ->ArgName("signed")
    ->Arg(1)
    ->Arg(0)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rhizome
