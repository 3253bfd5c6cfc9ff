// Loading, asking and reading atoms; see harness.hpp.
#include "harness.hpp"

#include <cstdlib>
#include <fstream>

#include "loading/loading.hpp"

namespace rhizome::conformance {

namespace {

std::string open_plugin(const std::string& path, const std::string& config,
                        use::FilterTables& tables, use::FilterLanguage& language) {
  const Result<LoadedPlugin> loaded = load_library(path);
  if (!loaded.ok()) return loaded.status().message();
  tables = {loaded->table<rz_filter>(RZ_FILTER_ID),
            loaded->table<rz_filter_pairs>(RZ_FILTER_PAIRS_ID),
            loaded->table<rz_filter_eval>(RZ_FILTER_EVAL_ID)};
  if (tables.filter == nullptr) return path + ": has no " RZ_FILTER_ID;
  auto opened = use::FilterLanguage::open(tables, std::make_shared<use::BareHost>(), config);
  if (!opened.ok()) return path + ": open: " + opened.status().to_string();
  language = std::move(*opened);
  return "";
}

}  // namespace

Subject& subject() {
  static Subject instance;
  return instance;
}

std::string load_plugin(const std::string& path) {
  return open_plugin(path, subject().config, subject().tables, subject().language);
}

std::string load_reference(const std::string& path) {
  use::FilterTables tables;
  const std::string problem = open_plugin(path, "{}", tables, subject().json_logic);
  return problem.empty() ? "" : "the JSON-Logic plugin to compare with: " + problem;
}

std::string load_sources(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  bool parted = false;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(line);
    parted = parted || line == "---";
  }
  std::string source;
  const auto end = [&] {
    if (!source.empty()) subject().sources.push_back(source);
    source.clear();
  };
  for (const std::string& line : lines) {
    if (!parted || line == "---") end();
    if (line != "---") source += (source.empty() ? "" : "\n") + line;
  }
  end();
  return subject().sources.empty() ? path + ": no sources in it" : "";
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
  if (!filter.ok()) throw std::runtime_error(source + ": " + filter.status().to_string());
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
