// Compiling filters and asking them; see filter.hpp and language.hpp.
#include "filter.hpp"

#include <algorithm>
#include <cstring>

#include "access.hpp"
#include "language.hpp"

namespace rhizome::jsonlogic {
namespace {

constexpr std::size_t kMostLines = UINT16_MAX;  // of one filter: 4 MiB
// How much of a filter is fetched before it is asked; what its texts take of it, about.
constexpr std::size_t kFetched = 8 * kLine, kFewBytes = 32;

Status rule_json(const Program& program, std::string& json) {
  Arena arena(0);
  Run run(arena, {UINT64_MAX, 1});
  if (!append_json(program.rule, json, run)) return {Code::kInternal, failure_text(run.failure)};
  return {};
}

}  // namespace

const char* failure_text(Failure failure) {
  switch (failure) {
    case Failure::kSteps:
      return "the rule takes more steps than its budget";
    case Failure::kMemory:
      return "the rule takes more memory than its budget";
    case Failure::kDepth:
      return "the rule builds a value nested deeper than 128";
    default:
      return "the rule failed";
  }
}

Result<std::unique_ptr<plugin::Filter>> Filter::compile(ByteView source,
                                                        const rz_filter_budget& budget) {
  auto program = jsonlogic::compile(source, Mistakes::kRefuse);
  if (!program.ok()) return std::move(program).status();
  std::string json;
  RZ_TRY(rule_json(**program, json));
  const Lowered lowered = lower(**program);
  const Packing packing(lowered);
  if (!packing.slim()) json.clear();
  const std::size_t bytes = sizeof(Filter) + packing.bytes() + json.size() + sizeof(Cold);
  const std::size_t lines = (bytes + kLine - 1) / kLine;
  if (lines > kMostLines || packing.too_many())
    return Status(Code::kLimit, "the rule takes too much memory");

  void* const memory = take_lines(lines);
  std::unique_ptr<Filter> filter(new (memory) Filter(budget, lowered.root, lines));
  char* const behind = static_cast<char*>(memory) + sizeof(Filter);
  filter->counts_ = packing.write(behind, filter->root_);
  char* const text = behind + packing.bytes();
  std::memcpy(text, json.data(), json.size());
  new (&filter->cold()) Cold{packing.slim() ? nullptr : std::move(*program), {text, json.size()}};
  return std::unique_ptr<plugin::Filter>(std::move(filter));
}

void Filter::operator delete(Filter* filter, std::destroying_delete_t /*tag*/) {
  const std::size_t lines = filter->lines_;
  filter->cold().~Cold();
  filter->~Filter();
  give_lines(filter, lines);
}

Status Filter::match(std::span<const rz_delta* const> deltas, std::uint64_t* bitmap,
                     rz_filter_counts& counts) const {
  const Test root = root_;
  if (root.ask == Ask::kText && budget_.steps > 2 + root.count / Run::kBytesPerStep) {
    // The whole rule is one test of the author, which cannot fail.
    for (std::size_t i = 0; i < deltas.size(); ++i) {
      const bool equal = is_text(
          root, view(rz_delta_at(deltas[i], deltas[i]->author_offset, deltas[i]->author_size)));
      bitmap[i / 64] |= std::uint64_t{equal != root.negated} << i % 64;
    }
    return {};
  }
  alignas(8) char buffer[2048];
  Arena arena(budget_.memory_bytes, buffer, sizeof buffer);
  Run run(arena, budget_);
  for (std::size_t i = 0; i < deltas.size(); ++i) {
    const Truth matches = ask(deltas[i], run);
    if (matches == Truth::kYes)
      bitmap[i / 64] |= std::uint64_t{1} << i % 64;
    else if (matches == Truth::kFailed)
      ++(run.failure == Failure::kThrown ? counts.failed : counts.stopped);
    arena.reset(buffer, sizeof buffer);
    run.restart(budget_);
  }
  return {};
}

void Filter::prefetch_rest() const {
  const std::size_t hot = sizeof(Filter) + counts_.bytes() + kFewBytes;
  const char* const first = reinterpret_cast<const char*>(this);
  for (std::size_t at = kLine; at < hot && at < kFetched; at += kLine)
    __builtin_prefetch(first + at);
}

void Filter::match_pairs(const plugin::FilterPairs& pairs) {
  // Filters lie all over the memory: the next are on their way while one is asked.
  constexpr std::size_t kFar = 16, kNear = 8;
  const auto at = [&pairs](std::size_t i) { return static_cast<const Filter*>(pairs.filter(i)); };
  for (std::size_t i = 0; i < pairs.size() && i < kFar; ++i) __builtin_prefetch(at(i));
  alignas(8) char buffer[2048];
  Arena arena(0, buffer, sizeof buffer);
  Run run(arena, {1, 1});
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (i + kFar < pairs.size()) __builtin_prefetch(at(i + kFar));
    if (i + kNear < pairs.size()) at(i + kNear)->prefetch_rest();
    const Filter& filter = *at(i);
    arena.reset(buffer, sizeof buffer, filter.budget_.memory_bytes);
    run.restart(filter.budget_);
    const Truth matches = filter.ask(pairs.delta(i), run);
    const std::uint64_t took = filter.budget_.steps - run.left();
    auto result = static_cast<std::uint32_t>(std::min<std::uint64_t>(took, RZ_PAIR_STEPS));
    if (matches == Truth::kYes) result |= RZ_PAIR_MATCHES;
    if (matches == Truth::kFailed)
      result |= run.failure == Failure::kThrown ? RZ_PAIR_FAILED : RZ_PAIR_STOPPED;
    pairs.answer(i, result);
  }
}

Status Filter::atoms(const plugin::FilterAtoms& alternative) const {
  return give_atoms(predicate(), alternative);
}

Status Filter::to_json_logic(std::string& json) const {
  if (cold().program != nullptr) return rule_json(*cold().program, json);
  json.append(cold().json);
  return {};
}

Result<std::unique_ptr<plugin::Filter>> Language::compile(ByteView source,
                                                          const rz_filter_budget& budget) const {
  return Filter::compile(source, budget);
}

Status Language::match_pairs(const plugin::FilterPairs& pairs) const {
  Filter::match_pairs(pairs);
  return {};
}

}  // namespace rhizome::jsonlogic
