// rhizome export: all deltas, in the JSON profile or in one of the seed lineage's forms.
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "commands/rows.hpp"
#include "rhizome/delta/json.hpp"
#include "rhizome/delta/lineage.hpp"

namespace rhizome::commands {

namespace {

using nlohmann::json;

std::optional<LineageForm> form_of(const std::string& name) {
  if (name == "lineage-v1") return LineageForm::kV1;
  if (name == "lineage-v2") return LineageForm::kV2;
  return std::nullopt;
}

// A manifest only covers others; an importing node makes its own.
bool is_manifest(DeltaView delta) {
  for (std::size_t i = 0; i < delta.size(); ++i)
    if (!delta[i].role().starts_with("rhizomatic.txn.")) return false;
  return delta.size() != 0;
}

// Rows of the JSON profile in, lines of the lineage's form out. What the form cannot say is told on
// standard error and left out.
class LineageLines {
 public:
  LineageLines(LineageForm form, std::string host) : form_(form), host_(std::move(host)) {}

  bool print(std::string_view rows) {
    while (!rows.empty()) {
      const std::size_t end = std::min(rows.find('\n'), rows.size());
      line(rows.substr(0, end));
      rows.remove_prefix(std::min(end + 1, rows.size()));
    }
    std::fwrite(out_.data(), 1, out_.size(), stdout);
    out_.clear();
    return std::fflush(stdout) == 0;
  }
  std::size_t left_out() const { return left_out_; }

 private:
  void line(std::string_view row) {
    batch_.clear();
    Status status = delta_from_json(row, batch_);
    if (status.ok() && is_manifest(batch_[0])) return;
    if (status.ok()) status = delta_to_lineage(batch_[0], form_, host_, out_);
    if (status.ok()) {
      out_.push_back('\n');
      return;
    }
    ++left_out_;
    const std::string id = batch_.empty() ? "a delta" : to_hex(batch_[0].id());
    std::fprintf(stderr, "rhizome export: left out %s: %s\n", id.c_str(), status.message().c_str());
  }

  const LineageForm form_;
  const std::string host_;
  DeltaBatch batch_;
  std::string out_;
  std::size_t left_out_ = 0;
};

int export_lineage(const NodeOptions& node, LineageForm form) {
  Result<Client> client = node.connect();
  if (!client.ok()) return fail("export", client.status(), node.json);
  const Result<Reply> status = client->call(R"({"op":"status"})");
  if (!status.ok()) return fail("export", status.status(), node.json);
  LineageLines lines(form, json::parse(status->blob).value("name", "rhizome"));
  const Result<Reply> end = client->stream(
      R"({"op":"export"})", [&](const Reply& rows) { return lines.print(rows.blob); });
  if (!end.ok()) return fail("export", end.status(), node.json);
  return lines.left_out() == 0 ? kDone : kFailed;
}

}  // namespace

int export_deltas(const std::vector<std::string>& arguments) {
  NodeOptions node;
  std::string form = "rhizomatic";
  Options options("export", "Prints all deltas as JSON Lines; `rhizome import` reads them again.",
                  "rhizome export --node ./a > deltas.jsonl");
  options.text("--form", form,
               "rhizomatic (default: the JSON profile, with signatures), lineage-v1 or lineage-v2");
  node.add_to(options);
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  if (const auto lineage = form_of(form)) return export_lineage(node, *lineage);
  if (form != "rhizomatic") {
    std::fprintf(stderr,
                 "rhizome export: --form: expected rhizomatic, lineage-v1 or lineage-v2, found "
                 "'%s'\n",
                 form.c_str());
    return kUsage;
  }
  const Result<Reply> end = print_rows(node, json{{"op", "export"}});
  return end.ok() ? kDone : fail("export", end.status(), node.json);
}

}  // namespace rhizome::commands
