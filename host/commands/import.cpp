// rhizome import: deltas, or any JSON or CSV through a map, in batches to the node. Safe to stop
// and run again: what is held already is known and not added twice.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "commands/answers.hpp"
#include "importer/importer.hpp"

namespace rhizome::commands {

namespace {

using importer::ImportItem;
using importer::RecordSource;
using nlohmann::json;

constexpr std::size_t kBatchLines = 1000;
constexpr std::size_t kBatchBytes = 4u << 20;

// One import: its source, the node it goes to, and what became of it.
struct Import {
  std::string file, map;
  bool check = false, as_json = false;
  std::unique_ptr<RecordSource> source;
  std::optional<Client> client;  // none: only checking
  std::size_t added = 0, known = 0, refused = 0, bad = 0, sent = 0;
  json problems = json::array();
  std::string lines;                 // the batch in the making
  std::vector<std::size_t> numbers;  // the file's line of each of its lines

  void report(std::size_t line, const std::string& why);
  Status open_source();
  Status send();
  Status pull();
  void show_progress() const;
  void print_summary(double seconds) const;
};

void Import::report(std::size_t line, const std::string& why) {
  ++refused;
  if (as_json) {
    if (problems.size() < 1000) problems.push_back({{"line", line}, {"message", why}});
  } else {
    std::fprintf(stderr, "%s%s:%zu: %s\n", ::isatty(STDERR_FILENO) != 0 ? "\r\033[K" : "",
                 file.c_str(), line, printable(why).c_str());
  }
}

Status Import::open_source() {
  importer::Options options;
  options.bad = [this](const importer::BadRecord& record) {
    ++bad;
    report(record.line, record.why);
  };
  options.now_ms = static_cast<double>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                           std::chrono::system_clock::now().time_since_epoch())
                                           .count());
  Result<std::unique_ptr<RecordSource>> opened = Status(Code::kInvalid, "no file");
  if (map.empty()) {
    opened = importer::open_deltas(file, options);
  } else {
    Result<importer::Mapping> mapping = importer::Mapping::load(map);
    if (!mapping.ok()) return mapping.status();
    if (file.empty()) return {};
    opened = importer::open_mapped(file, std::move(*mapping), options);
  }
  if (!opened.ok()) return opened.status();
  source = std::move(*opened);
  return {};
}

Status Import::send() {
  if (numbers.empty()) return {};
  sent += numbers.size();
  if (client) {
    const Result<Reply> reply = client->call(R"({"op":"import"})", lines);
    if (!reply.ok()) return reply.status();
    const json answer = json::parse(reply->header);
    added += answer.value("added", std::size_t{0});
    known += answer.value("known", std::size_t{0});
    for (const json& problem : answer.value("problems", json::array())) {
      const std::size_t index = problem.value("line", std::size_t{1}) - 1;
      report(index < numbers.size() ? numbers[index] : 0, problem.value("message", ""));
    }
  }
  lines.clear();
  numbers.clear();
  return {};
}

Status Import::pull() {
  const bool bar = !as_json && ::isatty(STDERR_FILENO) != 0;
  ImportItem item;
  for (;;) {
    const Result<bool> more = source->next(item);
    if (!more.ok()) return more.status();
    if (!*more) break;
    lines += item.json;
    lines.push_back('\n');
    numbers.push_back(item.line);
    if (numbers.size() < kBatchLines && lines.size() < kBatchBytes) continue;
    RZ_TRY(send());
    if (bar) show_progress();
  }
  RZ_TRY(send());
  if (bar) {
    show_progress();
    std::fprintf(stderr, "\n");
  }
  return {};
}

void Import::show_progress() const {
  constexpr int kWidth = 30;
  const importer::Progress progress = source->progress();
  const double part = progress.bytes_total == 0 ? 0
                                                : static_cast<double>(progress.bytes_read) /
                                                      static_cast<double>(progress.bytes_total);
  const int filled = static_cast<int>(part * kWidth);
  std::fprintf(stderr, "\r[%.*s%*s] %3d%%  %zu records, %zu deltas added", filled,
               "##############################", kWidth - filled, "", static_cast<int>(part * 100),
               progress.records, added);
}

void Import::print_summary(double seconds) const {
  const std::size_t records = source->progress().records;
  if (as_json) {
    const json out{{"records", records}, {"read", sent + bad},  {"added", added},
                   {"known", known},     {"refused", refused},  {"seconds", seconds},
                   {"checked", check},   {"problems", problems}};
    std::printf("%s\n", out.dump(-1, ' ', false, json::error_handler_t::replace).c_str());
    return;
  }
  std::printf("%s: %zu records, %zu deltas read, %zu added, %zu known, %zu refused in %.1f s\n",
              file.c_str(), records, sent + bad, added, known, refused, seconds);
}

}  // namespace

int import(const std::vector<std::string>& arguments) {
  NodeOptions node;
  Import import;
  Options options(
      "import",
      "Imports deltas (JSON Lines: the JSON profile, or the lineage's V1 and V2), or with --map "
      "any JSON, JSON Lines or CSV. A bad record is reported with its line and the rest "
      "goes on; running it again adds nothing twice.",
      "rhizome import countries.json --map countries.map.yaml --node ./a");
  options.text("FILE", import.file, "The file; - reads standard input");
  options.text("--map", import.map, "How records become entities: docs/import.md");
  options.flag("--check", import.check,
               "Check the map, and FILE's records where one is given; send nothing");
  node.add_to(options);
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  import.as_json = node.json;
  if (import.file.empty() && !(import.check && !import.map.empty())) {
    std::fprintf(stderr, "rhizome import: expected FILE; see --help\n");
    return kUsage;
  }
  const auto started = std::chrono::steady_clock::now();
  if (const Status opened = import.open_source(); !opened.ok()) {
    fail("import", opened, node.json);
    return opened.code() == Code::kInvalid && !import.map.empty() ? kConfig : kFailed;
  }
  if (import.source == nullptr) {
    std::printf("%s: all right\n", import.map.c_str());
    return kDone;
  }
  if (!import.check) {
    Result<Client> client = node.connect();
    if (!client.ok()) return fail("import", client.status(), node.json);
    import.client.emplace(std::move(*client));
  }
  if (const Status pulled = import.pull(); !pulled.ok()) return fail("import", pulled, node.json);
  import.print_summary(
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
  return import.refused == 0 ? kDone : kFailed;
}

}  // namespace rhizome::commands
