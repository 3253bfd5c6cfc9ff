// Loading, asking and reading atoms; see harness.hpp.
#include "harness.hpp"

#include <cstdlib>
#include <fstream>

#include "loading/config_subject.hpp"
#include "loading/suite.hpp"

namespace rhizome::conformance {

namespace {

Result<use::FilterLanguage> open(const use::FilterTables& tables, const std::string& config) {
  return use::FilterLanguage::open(tables, std::make_shared<use::BareHost>(), config);
}

use::FilterTables tables_of(const LoadedPlugin& plugin) {
  return {plugin.table<rz_filter>(RZ_FILTER_ID), plugin.table<rz_filter_pairs>(RZ_FILTER_PAIRS_ID),
          plugin.table<rz_filter_eval>(RZ_FILTER_EVAL_ID)};
}

// The plugin's table but for `compile`, which says what it compiles: of all calls it is the one
// that a source can keep from returning.
const rz_filter* watched(const rz_filter* table) {
  static const rz_filter* its_own;
  static rz_filter made;
  its_own = table;
  made = *table;
  made.compile = [](void* language, rz_bytes source, const rz_filter_budget* budget, void** filter,
                    rz_error* error) {
    set_asked("compile", view(source));
    const std::int32_t code = its_own->compile(language, source, budget, filter, error);
    set_asked("", {});
    return code;
  };
  return &made;
}

}  // namespace

Subject& subject() {
  static Subject instance;
  return instance;
}

Status load_plugin(const std::string& path, const std::string& config) {
  Result<LoadedPlugin> loaded = load_library(path, "filter");
  if (!loaded.ok()) return std::move(loaded).status();
  Result<std::string> filled = loaded->config(config);
  if (!filled.ok()) return std::move(filled).status().with_context(path);
  subject().tables = tables_of(*loaded);
  subject().tables.filter = watched(subject().tables.filter);
  subject().config = *filled;
  config_subject() = {std::move(*loaded), *filled,
                      [](const std::string& any) { return open(subject().tables, any).status(); }};
  Result<use::FilterLanguage> opened = open(subject().tables, *filled);
  if (!opened.ok()) return Status(opened.status()).with_context(path + ": open");
  subject().language = std::move(*opened);
  return {};
}

Status load_reference(const std::string& path) {
  constexpr const char* kWhat = "the JSON-Logic plugin to compare with (--json-logic)";
  const Result<LoadedPlugin> loaded = load_library(path, "filter");
  if (!loaded.ok()) return Status(loaded.status()).with_context(kWhat);
  const Result<std::string> config = loaded->config("{}");
  if (!config.ok()) return Status(config.status()).with_context(kWhat);
  Result<use::FilterLanguage> opened = open(tables_of(*loaded), *config);
  if (!opened.ok()) return Status(opened.status()).with_context(kWhat);
  subject().json_logic = std::move(*opened);
  return {};
}

Status load_sources(const std::string& path) {
  std::ifstream file(path);
  if (!file) return {Code::kInvalid, path + ": cannot be read"};
  std::vector<std::string> lines;
  bool parted = false;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(line);
    parted = parted || line == "---";
  }
  std::string source, refused;
  std::size_t first = 0;  // the line that the source begins at
  const auto end = [&] {
    if (!source.empty()) {
      const auto filter = use::Filter::compile(subject().language, source);
      if (!filter.ok())
        refused += "\n  line " + std::to_string(first) + ": " + shown(source) + ": " +
                   filter.status().to_string();
      subject().sources.push_back(source);
    }
    source.clear();
  };
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!parted || lines[i] == "---") end();
    if (lines[i] == "---") continue;
    if (source.empty()) first = i + 1;
    source += (source.empty() ? "" : "\n") + lines[i];
  }
  end();
  if (subject().sources.empty()) return {Code::kInvalid, path + ": no sources in it"};
  if (refused.empty()) return {};
  return {Code::kInvalid,
          path + ": every source must compile (with the --config that it needs):" + refused};
}

Chance::Chance() {
  const char* given = std::getenv("RHIZOME_SEED");
  seed_ = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  random_.seed(seed_);
}

std::vector<const rz_delta*> pointers_to(const DeltaBatch& deltas) {
  std::vector<const rz_delta*> pointers;
  for (std::size_t i = 0; i < deltas.size(); ++i) pointers.push_back(deltas.block(i));
  return pointers;
}

Drawn draw(Chance& chance, const rz_filter_budget& budget) {
  constexpr int kTries = 200;
  for (int i = 0; i < kTries; ++i) {
    std::string source = random_source(chance);
    auto filter = use::Filter::compile(subject().language, source, budget);
    if (filter.ok()) return {std::move(source), std::move(*filter)};
  }
  // The given ones must compile; one that does not says why.
  const auto& given = subject().sources;
  std::string source = given.empty() ? "true" : chance.of(given);
  auto filter = use::Filter::compile(subject().language, source, budget);
  if (!filter.ok()) throw std::runtime_error(shown(source) + ": " + filter.status().to_string());
  return {std::move(source), std::move(*filter)};
}

Matches match(const use::Filter& filter, const std::vector<const rz_delta*>& deltas) {
  constexpr std::size_t kBatch = 32;
  Matches found;
  for (std::size_t first = 0; first < deltas.size() && found.status.ok(); first += kBatch) {
    const std::size_t count = std::min(kBatch, deltas.size() - first);
    std::vector<std::uint64_t> bitmap;
    found.status = filter.match({deltas.data() + first, count}, bitmap, found.counts);
    for (std::size_t i = 0; i < count; ++i) found.bits.push_back((bitmap[0] >> i & 1) != 0);
  }
  return found;
}

bool admits(const use::Filter& filter, DeltaView delta) {
  bool admitted = false;
  const Status given = filter.atoms([&](std::span<const rz_atom> alternative) {
    admitted = admitted || std::all_of(alternative.begin(), alternative.end(),
                                       [&](const rz_atom& a) { return use::satisfies(delta, a); });
    return Status();
  });
  return admitted || given.code() == Code::kUnsupported;
}

std::string atoms_text(const use::Filter& filter) {
  std::string text;
  const Status given = filter.atoms([&](std::span<const rz_atom> alternative) {
    text += (text.empty() ? "" : " | ") + use::to_text(alternative);
    return Status();
  });
  return given.ok() ? text : given.to_string();
}

}  // namespace rhizome::conformance
