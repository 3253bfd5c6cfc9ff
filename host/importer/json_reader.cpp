// Records of a JSON file without reading it whole: a scanner finds the array and cuts out the text
// of one element at a time; only that is parsed. Strings end at a raw line end (JSON allows none),
// and a closing bracket closes what stands open inside it, so that one bad record does not take the
// rest of the file with it. Also JSON Lines. On the thread that pulls.
#include "importer/readers.hpp"

namespace rhizome::importer {
namespace {

bool is_space(int byte) { return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r'; }

// Cuts single values out of a text.
class Scanner {
 public:
  explicit Scanner(Text text) : text_(std::move(text)) {}
  Text& text() { return text_; }
  const Text& text() const { return text_; }

  int skip_space() {
    while (is_space(text_.peek())) text_.get();
    return text_.peek();
  }
  // The raw text of the next value, at most kRecordMaxBytes of it kept. Empty: fine, else why not.
  std::string value(std::string& raw);
  // The next string's content, its escapes resolved; false where there is no string.
  bool string(std::string& content);

 private:
  void keep(std::string& raw, int byte) {
    if (raw.size() <= kRecordMaxBytes) raw.push_back(static_cast<char>(byte));
  }
  bool scan_string(std::string& raw);
  static void close_swallowed(const std::string& raw, std::string& open);
  Text text_;
};

// The opening quote is next. False where the string does not end on its line.
bool Scanner::scan_string(std::string& raw) {
  keep(raw, text_.get());
  for (int byte = text_.peek(); byte >= 0 && byte != '\n'; byte = text_.peek()) {
    keep(raw, text_.get());
    if (byte == '"') return true;
    if (byte == '\\' && text_.peek() >= 0) keep(raw, text_.get());
  }
  return false;
}

// A string that lost its end took the brackets at the end of its line with it: those close after
// all, so that the next record is found.
void Scanner::close_swallowed(const std::string& raw, std::string& open) {
  const std::size_t text_end = raw.find_last_not_of(" \t\r,}]");
  for (std::size_t i = text_end + 1; i < raw.size() && !open.empty(); ++i) {
    if (raw[i] == open.back()) open.pop_back();
  }
}

std::string Scanner::value(std::string& raw) {
  raw.clear();
  std::string open;  // the closers that are expected, innermost last
  std::string why;
  for (int byte = skip_space(); byte >= 0; byte = text_.peek()) {
    if (byte == '"') {
      if (!scan_string(raw)) {
        if (why.empty()) why = "a string without its end";
        close_swallowed(raw, open);
      }
      if (open.empty()) break;
      continue;
    }
    const bool closes = byte == '}' || byte == ']';
    if (open.empty() && !raw.empty() && (closes || byte == ',' || is_space(byte))) break;
    if (open.empty() && raw.empty() && (closes || byte == ',')) return "no value";
    keep(raw, text_.get());
    if (byte == '{' || byte == '[') {
      if (open.size() >= 4 * kRecordMaxDepth) return "nested too deep";
      open.push_back(byte == '{' ? '}' : ']');
    } else if (closes) {
      while (!open.empty() && open.back() != byte) {
        if (why.empty()) why = std::string("a '") + static_cast<char>(byte) + "' closes nothing";
        open.pop_back();
      }
      if (!open.empty()) open.pop_back();
      if (open.empty()) break;
    }
  }
  if (!open.empty() && why.empty()) why = "the file ends inside this record";
  if (raw.size() > kRecordMaxBytes) {
    why = "larger than " + std::to_string(kRecordMaxBytes) + " bytes";
  }
  return why;
}

bool Scanner::string(std::string& content) {
  std::string raw;
  if (skip_space() != '"' || !scan_string(raw)) return false;
  const Result<Record> record = Record::from_json(raw);
  const Value* value = record ? record->find(".") : nullptr;
  if (value == nullptr) return false;
  content = value->text;
  return true;
}

class JsonArrayReader final : public RecordReader {
 public:
  JsonArrayReader(Text text, std::string pointer)
      : scanner_(std::move(text)), pointer_(std::move(pointer)) {}

  Result<ReadRecord> next() override {
    if (!found_) RZ_TRY(find());
    found_ = true;
    ReadRecord out;
    const int byte = at_end_ ? -1 : scanner_.skip_space();
    if (byte < 0 || byte == ']') return end(byte, std::move(out));
    out.line = scanner_.text().line();
    out.number = ++number_;
    std::string raw;
    out.why = scanner_.value(raw);
    if (out.why.empty()) {
      Result<Record> record = Record::from_json(raw);
      if (record) {
        out.record = std::move(*record);
      } else {
        out.why = record.status().message();
      }
    }
    separate(out.why);
    RZ_TRY(scanner_.text().status());
    out.kind = out.why.empty() ? ReadRecord::Kind::kRecord : ReadRecord::Kind::kBad;
    return out;
  }
  const Text& text() const override { return scanner_.text(); }

 private:
  // The array's end, or the file's: the latter is reported as one more bad record, once.
  Result<ReadRecord> end(int byte, ReadRecord out) {
    RZ_TRY(scanner_.text().status());
    if (byte < 0 && !at_end_) {
      out.kind = ReadRecord::Kind::kBad;
      out.line = scanner_.text().line();
      out.number = number_ + 1;
      out.why = "the file ends before the array's ']'";
    }
    at_end_ = true;
    return out;
  }
  // Past the comma after a record; what else stands there makes the record bad, up to where the
  // next one seems to begin.
  void separate(std::string& why) {
    int byte = scanner_.skip_space();
    if (byte >= 0 && byte != ',' && byte != ']' && why.empty()) {
      why = std::string("expected ',' or ']' after it, found '") + static_cast<char>(byte) + "'";
    }
    while (byte >= 0 && byte != ',' && byte != ']' && byte != '{' && byte != '[') {
      scanner_.text().get();
      byte = scanner_.text().peek();
    }
    if (byte == ',') scanner_.text().get();
  }
  Status fail(const std::string& what) {
    RZ_TRY(scanner_.text().status());
    return {Code::kInvalid,
            scanner_.text().path() + ":" + std::to_string(scanner_.text().line()) + ": " + what};
  }
  // Walks to the array that the pointer names and past its '['.
  Status find() {
    skip_byte_order_mark();
    std::size_t at = 0;
    while (at < pointer_.size()) {
      const std::size_t end = std::min(pointer_.find('/', at + 1), pointer_.size());
      RZ_TRY(descend(unescape(pointer_.substr(at + 1, end - at - 1))));
      at = end;
    }
    if (scanner_.skip_space() != '[') {
      return fail("no array of records at '" + pointer_ + "'; set 'records' in the map");
    }
    scanner_.text().get();
    return {};
  }
  void skip_byte_order_mark() {
    for (const int byte : {0xef, 0xbb, 0xbf}) {
      if (scanner_.text().peek() == byte) scanner_.text().get();
    }
  }
  static std::string unescape(std::string token) {
    for (const auto& [from, to] : {std::pair("~1", "/"), std::pair("~0", "~")}) {
      for (std::size_t i = 0; (i = token.find(from, i)) != std::string::npos; ++i) {
        token.replace(i, 2, to);
      }
    }
    return token;
  }
  // Into the object's member of that name.
  Status descend(const std::string& name) {
    if (scanner_.skip_space() != '{') return fail("no object that could hold '" + name + "'");
    scanner_.text().get();
    std::string seen;
    for (std::string key, raw; scanner_.skip_space() != '}';) {
      if (!scanner_.string(key) || scanner_.skip_space() != ':') return fail("not a JSON object");
      scanner_.text().get();
      if (key == name) return {};
      if (seen.size() < 200) seen += (seen.empty() ? "" : ", ") + key;
      const std::string why = scanner_.value(raw);
      if (scanner_.text().peek() < 0) return fail(why.empty() ? "the file ends early" : why);
      if (scanner_.skip_space() == ',') scanner_.text().get();
    }
    return fail("no '" + name + "' (of '" + pointer_ + "'); found: " + seen);
  }

  Scanner scanner_;
  std::string pointer_;
  std::size_t number_ = 0;
  bool found_ = false;
  bool at_end_ = false;
};

class JsonLinesReader final : public RecordReader {
 public:
  explicit JsonLinesReader(Text text) : text_(std::move(text)) {}

  Result<ReadRecord> next() override {
    ReadRecord out;
    std::string line;
    bool cut = false;
    do {
      out.line = text_.line();
      if (!read_line(text_, kRecordMaxBytes, line, &cut)) {
        RZ_TRY(text_.status());
        return out;
      }
    } while (line.find_first_not_of(" \t\r") == std::string::npos);
    out.number = ++number_;
    Result<Record> record =
        cut ? Status(Code::kLimit, "longer than 1 MiB") : Record::from_json(line);
    out.kind = record ? ReadRecord::Kind::kRecord : ReadRecord::Kind::kBad;
    if (record) {
      out.record = std::move(*record);
    } else {
      out.why = record.status().message();
    }
    return out;
  }
  const Text& text() const override { return text_; }

 private:
  Text text_;
  std::size_t number_ = 0;
};

}  // namespace

std::unique_ptr<RecordReader> read_json_array(Text text, const std::string& pointer) {
  return std::make_unique<JsonArrayReader>(std::move(text), pointer);
}

std::unique_ptr<RecordReader> read_json_lines(Text text) {
  return std::make_unique<JsonLinesReader>(std::move(text));
}

}  // namespace rhizome::importer
