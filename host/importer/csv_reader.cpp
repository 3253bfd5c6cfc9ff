// Records of a CSV file (RFC 4180, with any one-character separator): the first row names the
// columns, an empty field counts as missing. On the thread that pulls.
#include "importer/readers.hpp"

namespace rhizome::importer {
namespace {

class CsvReader final : public RecordReader {
 public:
  CsvReader(Text text, char separator) : text_(std::move(text)), separator_(separator) {}

  Result<ReadRecord> next() override {
    if (columns_.empty()) RZ_TRY(read_header());
    ReadRecord out;
    std::vector<std::string> row;
    do {
      out.line = text_.line();
      if (text_.peek() < 0) {
        RZ_TRY(text_.status());
        return out;
      }
      out.why = read_row(row);
    } while (row.size() == 1 && row[0].empty() && out.why.empty());
    out.number = ++number_;
    if (out.why.empty() && row.size() != columns_.size()) {
      out.why =
          std::to_string(row.size()) + " fields; the header has " + std::to_string(columns_.size());
    }
    for (std::size_t i = 0; out.why.empty() && i < row.size(); ++i) {
      if (!row[i].empty()) out.record.add(columns_[i], {Value::Kind::kText, std::move(row[i]), 0});
    }
    if (out.why.empty()) RZ_TRY(out.record.seal());  // the header's names differ, so this holds
    out.kind = out.why.empty() ? ReadRecord::Kind::kRecord : ReadRecord::Kind::kBad;
    return out;
  }
  const Text& text() const override { return text_; }

 private:
  Status read_header() {
    for (const int byte : {0xef, 0xbb, 0xbf}) {
      if (text_.peek() == byte) text_.get();
    }
    const std::string why = read_row(columns_);
    RZ_TRY(text_.status());
    Record names;
    for (const std::string& name : columns_) names.add(name, {});
    const Status twice = names.seal();
    if (why.empty() && twice.ok() && !columns_.empty()) return {};
    columns_.clear();
    return {Code::kInvalid, text_.path() + ":1: no header of column names" +
                                (why.empty() ? "" : ": " + why) +
                                (twice.ok() ? "" : ": column " + twice.message())};
  }

  // One row into `row` (replaced). Empty: fine, else what is wrong with it.
  std::string read_row(std::vector<std::string>& row) {
    row.assign(1, "");
    std::size_t size = 0;
    bool quoted = false;
    std::string why;
    for (int byte = text_.get(); byte >= 0; byte = text_.get()) {
      if (byte == '\n' && (!quoted || size > kRecordMaxBytes)) break;
      if (++size > kRecordMaxBytes || row.size() > kRecordMaxValues) {
        why = "the row is larger than 1 MiB or 4096 fields; perhaps a quote is not closed";
      } else if (quoted) {
        quoted = take_quoted(row.back(), byte);
      } else if (byte == '"' && row.back().empty()) {
        quoted = true;
      } else if (byte == separator_) {
        row.emplace_back();
      } else if (byte != '\r' || text_.peek() != '\n') {
        row.back().push_back(static_cast<char>(byte));
      }
    }
    if (quoted && why.empty()) why = "a quote is not closed";
    return why;
  }
  // Inside quotes: a doubled quote is one, a single one ends them. Whether they go on.
  bool take_quoted(std::string& field, int byte) {
    if (byte == '"' && text_.peek() != '"') return false;
    if (byte == '"') text_.get();
    field.push_back(static_cast<char>(byte));
    return true;
  }

  Text text_;
  char separator_;
  std::vector<std::string> columns_;
  std::size_t number_ = 0;
};

}  // namespace

std::unique_ptr<RecordReader> read_csv(Text text, char separator) {
  return std::make_unique<CsvReader>(std::move(text), separator);
}

}  // namespace rhizome::importer
