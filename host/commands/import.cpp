// rhizome import: deltas, or any JSON or CSV through a map, in batches to the node. Safe to stop
// and run again: what is held already is known and not added twice.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "commands/command.hpp"
#include "importer/importer.hpp"

namespace rhizome::commands {

namespace {

using importer::ImportItem;
using importer::RecordSource;
using nlohmann::json;

constexpr std::size_t kBatchLines = 1000;
constexpr std::size_t kBatchBytes = 4u << 20;

struct Totals {
  std::size_t added = 0, known = 0, refused = 0, sent = 0;
  std::vector<json> problems;
};

void report(Totals& totals, bool as_json, const std::string& file, std::size_t line,
            const std::string& why) {
  ++totals.refused;
  if (as_json) {
    if (totals.problems.size() < 1000)
      totals.problems.push_back({{"line", line}, {"message", why}});
  } else {
    std::fprintf(stderr, "\r\033[K%s:%zu: %s\n", file.c_str(), line, why.c_str());
  }
}

void show_progress(const importer::Progress& progress, const Totals& totals) {
  constexpr int kWidth = 30;
  const double part = progress.bytes_total == 0 ? 0
                                                : static_cast<double>(progress.bytes_read) /
                                                      static_cast<double>(progress.bytes_total);
  const int filled = static_cast<int>(part * kWidth);
  std::fprintf(stderr, "\r[%.*s%*s] %3d%%  %zu records, %zu deltas added", filled,
               "##############################", kWidth - filled, "", static_cast<int>(part * 100),
               progress.records, totals.added);
}

Status send(Client& client, std::string& lines, std::vector<std::size_t>& numbers,
            const std::string& file, bool as_json, Totals& totals) {
  if (numbers.empty()) return {};
  const Result<Reply> reply = client.call(R"({"op":"write","manifest":true})", lines);
  if (!reply.ok()) return reply.status();
  const json answer = json::parse(reply->header);
  totals.added += answer.value("added", std::size_t{0});
  totals.known += answer.value("known", std::size_t{0});
  totals.sent += numbers.size();
  for (const json& problem : answer.value("problems", json::array())) {
    const std::size_t index = problem.value("line", std::size_t{1}) - 1;
    report(totals, as_json, file, index < numbers.size() ? numbers[index] : 0,
           problem.value("message", ""));
  }
  lines.clear();
  numbers.clear();
  return {};
}

Result<Totals> pull(RecordSource& source, Client& client, const std::string& file, bool as_json,
                    Totals totals_so_far) {
  Totals totals = std::move(totals_so_far);
  const bool bar = !as_json && ::isatty(STDERR_FILENO) != 0;
  std::string lines;
  std::vector<std::size_t> numbers;
  ImportItem item;
  for (;;) {
    const Result<bool> more = source.next(item);
    if (!more.ok()) return more.status();
    if (!*more) break;
    lines += item.json;
    lines.push_back('\n');
    numbers.push_back(item.line);
    if (numbers.size() < kBatchLines && lines.size() < kBatchBytes) continue;
    RZ_TRY(send(client, lines, numbers, file, as_json, totals));
    if (bar) show_progress(source.progress(), totals);
  }
  RZ_TRY(send(client, lines, numbers, file, as_json, totals));
  if (bar) {
    show_progress(source.progress(), totals);
    std::fprintf(stderr, "\n");
  }
  return totals;
}

}  // namespace

int import(const std::vector<std::string>& arguments) {
  NodeOptions node;
  std::string file, map;
  Options options(
      "import",
      "Imports deltas (JSON Lines: the JSON profile or the seed lineage's), or with --map any "
      "JSON, "
      "JSON Lines or CSV. A bad record is reported with its line and the rest goes on; running it "
      "again adds nothing twice.",
      "rhizome import countries.json --map countries.map.yaml --node ./a");
  options.text("FILE", file, "The file; - reads standard input").required();
  options.text("--map", map, "How records become entities: docs/import.md");
  node.add_to(options);
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  const auto started = std::chrono::steady_clock::now();
  Totals totals;
  importer::Options import_options;
  import_options.bad = [&](const importer::BadRecord& bad) {
    report(totals, node.json, file, bad.line, bad.why);
  };
  import_options.now_ms =
      static_cast<double>(std::chrono::duration_cast<std::chrono::milliseconds>(
                              std::chrono::system_clock::now().time_since_epoch())
                              .count());
  Result<std::unique_ptr<RecordSource>> source = Status(Code::kInvalid, "");
  if (map.empty()) {
    source = importer::open_deltas(file, import_options);
  } else {
    Result<importer::Mapping> mapping = importer::Mapping::load(map);
    if (!mapping.ok()) {
      fail("import", mapping.status(), node.json);
      return kConfig;
    }
    source = importer::open_mapped(file, std::move(*mapping), import_options);
  }
  if (!source.ok()) return fail("import", source.status(), node.json);
  Result<Client> client = node.connect();
  if (!client.ok()) return fail("import", client.status(), node.json);
  // Bad records are counted through the callback while pulling: the totals stay here.
  const Result<Totals> done = pull(**source, *client, file, node.json, Totals{});
  if (!done.ok()) return fail("import", done.status(), node.json);
  const std::size_t refused = totals.refused + done->refused;
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  if (node.json) {
    json problems = totals.problems;
    for (const json& problem : done->problems) problems.push_back(problem);
    std::printf("%s\n", json{{"records", (*source)->progress().records},
                             {"read", done->sent + totals.refused},
                             {"added", done->added},
                             {"known", done->known},
                             {"refused", refused},
                             {"seconds", seconds},
                             {"problems", problems}}
                            .dump(-1, ' ', false, json::error_handler_t::replace)
                            .c_str());
  } else {
    std::printf("%s: %zu records, %zu deltas read, %zu added, %zu known, %zu refused in %.1f s\n",
                file.c_str(), (*source)->progress().records, done->sent + totals.refused,
                done->added, done->known, refused, seconds);
  }
  return refused == 0 ? kDone : kFailed;
}

}  // namespace rhizome::commands
