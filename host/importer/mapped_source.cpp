// Records through a mapping -> claims. All of a record's deltas or none of them: a record that
// breaks the map half way is reported once and leaves nothing behind. On the thread that pulls.
#include <charconv>
#include <cmath>
#include <cstdio>
#include <deque>

#include "importer/importer.hpp"
#include "importer/readers.hpp"
#include "rhizome/delta/json.hpp"

namespace rhizome::importer {
namespace {

constexpr std::size_t kRecordMaxOutput = 8u << 20;  // bytes of claims that one record may become

void append_number(double number, std::string& out) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

// A decimal number that a double holds; integers exactly.
Result<double> to_number(const std::string& text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end || !std::isfinite(number)) {
    return Status(Code::kInvalid, "'" + text + "' is no number");
  }
  const bool integer = text.find_first_not_of("-0123456789") == std::string::npos;
  if (integer && std::abs(number) >= 9007199254740992.0) {
    char exact[400];
    std::snprintf(exact, sizeof exact, "%.0f", number);
    if (text != exact) {
      return Status(Code::kInvalid, "'" + text +
                                        "' is an integer that a double cannot hold exactly; use "
                                        "'type: text'");
    }
  }
  return number;
}

class MappedSource final : public RecordSource {
 public:
  MappedSource(std::unique_ptr<RecordReader> reader, Mapping map, Options options)
      : reader_(std::move(reader)), map_(std::move(map)), options_(std::move(options)) {}

  Result<bool> next(ImportItem& item) override {
    while (lines_.empty()) {
      Result<ReadRecord> read = reader_->next();
      if (!read) return read.status();
      if (read->kind == ReadRecord::Kind::kEnd) return false;
      ++records_;
      Status status = read->kind == ReadRecord::Kind::kBad ? Status(Code::kInvalid, read->why)
                                                           : convert(read->record);
      if (!status.ok()) {
        lines_.clear();
        ++bad_;
        if (options_.bad) options_.bad({read->number, read->line, status.message()});
      }
      line_ = read->line;
    }
    item.kind = ImportItem::Kind::kClaims;
    item.json = std::move(lines_.front());
    item.line = line_;
    lines_.pop_front();
    return true;
  }

  Progress progress() const override {
    return {reader_->text().position(), reader_->text().size(), records_, bad_};
  }

 private:
  // What the deltas of one record have in common.
  struct Head {
    std::string text;  // {"timestamp":T,"pointers":[{"role":R,"target":{"id":I,"context":
    std::size_t bytes = 0;
  };

  Status convert(const Record& record) {
    std::string id;
    if (!map_.id.render(record, {}, id) || id.empty()) {
      return {Code::kInvalid, "no id: " + map_.id.describe() +
                                  " needs a field that the record lacks; it has " + record.paths()};
    }
    Head head;
    Result<double> timestamp = timestamp_of(record);
    if (!timestamp) return timestamp.status();
    head.text = "{\"timestamp\":";
    append_number(*timestamp, head.text);
    head.text += ",\"pointers\":[{\"role\":";
    append_json_string(map_.role, head.text);
    head.text += ",\"target\":{\"id\":";
    append_json_string(id, head.text);
    head.text += ",\"context\":";
    for (const Property& property : map_.properties) {
      RZ_TRY(convert_property(record, property, head).with_context(property.name));
    }
    return {};
  }

  Result<double> timestamp_of(const Record& record) const {
    if (map_.timestamp.empty()) {
      const double modified = reader_->text().modified_ms();
      return modified != 0 ? modified : options_.now_ms;
    }
    std::string text;
    if (!map_.timestamp.render(record, {}, text)) {
      return Status(Code::kInvalid, "no timestamp: " + map_.timestamp.describe());
    }
    Result<double> number = to_number(text);
    if (!number) return std::move(number).status().with_context("timestamp");
    return number;
  }

  Status convert_property(const Record& record, const Property& property, Head& head) {
    if (property.each.empty()) {
      Result<bool> there = emit(record, property, {}, head);
      if (!there) return std::move(there).status();
      if (!*there && property.required) return missing(record, property);
      return {};
    }
    if (property.required && !record.has_below(property.each)) return missing(record, property);
    for (std::size_t i = 0;; ++i) {
      const std::string element = property.each + "." + std::to_string(i);
      if (!record.has_below(element)) return {};
      if (Result<bool> there = emit(record, property, element, head); !there) {
        return std::move(there).status();
      }
    }
  }
  static Status missing(const Record& record, const Property& property) {
    const Choice& wanted = property.value.empty() ? property.entity : property.value;
    return {Code::kInvalid, "required, but " + wanted.describe() +
                                " needs a field that the record lacks; it has " + record.paths()};
  }

  // One delta; false where the record has no such value.
  Result<bool> emit(const Record& record, const Property& property, std::string_view each,
                    Head& head) {
    std::string target;
    Result<bool> there = property.value.empty() ? reference(record, property, each, target)
                                                : primitive(record, property, each, target);
    if (!there || !*there) return there;
    std::string line = head.text;
    append_json_string(property.name, line);
    line += "}},{\"role\":";
    append_json_string(property.role, line);
    line += ",\"target\":";
    line += target;
    line += "}]}";
    scratch_.clear();
    // The protocol's own limits, here where the record's line is known.
    if (Status status = claims_from_json(line, "import", scratch_); !status.ok()) return status;
    head.bytes += line.size();
    if (head.bytes > kRecordMaxOutput) {
      return Status(Code::kLimit, "the record becomes more than 8 MiB of claims");
    }
    lines_.push_back(std::move(line));
    return true;
  }

  static Result<bool> reference(const Record& record, const Property& property,
                                std::string_view each, std::string& target) {
    std::string id;
    if (!property.entity.render(record, each, id)) return false;
    target = "{\"id\":";
    append_json_string(id, target);
    if (!property.context.empty()) {
      target += ",\"context\":";
      append_json_string(property.context, target);
    }
    target += "}";
    return true;
  }

  static Result<bool> primitive(const Record& record, const Property& property,
                                std::string_view each, std::string& target) {
    std::string text;
    if (!property.value.render(record, each, text)) return false;
    const Value* own = property.value.bare(record, each);
    const bool as_is = property.type == Property::Type::kAsIs && own != nullptr;
    if (property.type == Property::Type::kNumber || (as_is && own->kind == Value::Kind::kNumber)) {
      Result<double> number = to_number(text);
      if (!number) return number.status();
      append_number(*number, target);
    } else if (property.type == Property::Type::kBoolean ||
               (as_is && own->kind == Value::Kind::kBoolean)) {
      if (text != "true" && text != "false") {
        return Status(Code::kInvalid, "'" + text + "' is neither true nor false");
      }
      target = text;
    } else {
      append_json_string(text, target);
    }
    return true;
  }

  std::unique_ptr<RecordReader> reader_;
  Mapping map_;
  Options options_;
  std::deque<std::string> lines_;  // the current record's deltas that are still to be pulled
  std::size_t line_ = 0;
  std::string scratch_;
  std::size_t records_ = 0;
  std::size_t bad_ = 0;
};

Format format_of(const std::string& path) {
  const auto ends = [&](std::string_view suffix) {
    return path.size() >= suffix.size() &&
           path.compare(path.size() - suffix.size(), suffix.size(), suffix) == 0;
  };
  if (ends(".csv") || ends(".tsv")) return Format::kCsv;
  return ends(".jsonl") || ends(".ndjson") ? Format::kJsonLines : Format::kJson;
}

}  // namespace

Result<std::unique_ptr<RecordSource>> open_mapped(const std::string& path, Mapping map,
                                                  Options options) {
  Result<Text> text = Text::open(path);
  if (!text) return text.status();
  const Format format = map.format == Format::kByExtension ? format_of(path) : map.format;
  std::unique_ptr<RecordReader> reader;
  if (format == Format::kCsv) {
    reader = read_csv(std::move(*text), map.separator);
  } else if (format == Format::kJsonLines) {
    reader = read_json_lines(std::move(*text));
  } else {
    reader = read_json_array(std::move(*text), map.records);
  }
  return std::unique_ptr<RecordSource>(
      std::make_unique<MappedSource>(std::move(reader), std::move(map), std::move(options)));
}

}  // namespace rhizome::importer
