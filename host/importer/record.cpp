// Flattens one JSON value into a Record with a streaming parser: no document tree is built.
// Called by the readers on their thread.
#include "importer/record.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace rhizome::importer {
namespace {

// nlohmann's events -> fields. Returning false stops the parse; `why` says the reason.
class Flattener : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Flattener(Record& record) : record_(record) {}
  const std::string& why() const { return why_; }

  bool null() override {
    begin_value();
    return true;
  }
  bool boolean(bool value) override {
    return add({Value::Kind::kBoolean, value ? "true" : "false", value ? 1.0 : 0.0});
  }
  bool number_integer(number_integer_t value) override {
    return add({Value::Kind::kNumber, std::to_string(value), static_cast<double>(value)});
  }
  bool number_unsigned(number_unsigned_t value) override {
    return add({Value::Kind::kNumber, std::to_string(value), static_cast<double>(value)});
  }
  bool number_float(number_float_t value, const string_t& literal) override {
    return add({Value::Kind::kNumber, literal, value});
  }
  bool string(string_t& value) override { return add({Value::Kind::kText, std::move(value), 0}); }
  bool binary(binary_t&) override { return stop("binary value"); }
  bool start_object(std::size_t) override { return open(false); }
  bool key(string_t& name) override {
    path_.resize(levels_.back().path_size);
    append(name);
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(true); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    return stop("not JSON at byte " + std::to_string(position));
  }

 private:
  struct Level {
    std::size_t path_size;  // of the container's own path
    bool is_array;
    std::size_t index = 0;
  };

  void append(std::string_view name) {
    if (!path_.empty()) path_ += '.';
    path_ += name;
  }
  // An array has no keys: the path of its next element is its own plus the index.
  void begin_value() {
    if (levels_.empty() || !levels_.back().is_array) return;
    path_.resize(levels_.back().path_size);
    append(std::to_string(levels_.back().index++));
  }
  bool add(Value value) {
    begin_value();
    if (++values_ > kRecordMaxValues) {
      return stop("more than " + std::to_string(kRecordMaxValues) + " values");
    }
    record_.add(path_.empty() ? "." : path_, std::move(value));
    return true;
  }
  bool open(bool is_array) {
    begin_value();
    if (levels_.size() == kRecordMaxDepth) {
      return stop("nested deeper than " + std::to_string(kRecordMaxDepth));
    }
    levels_.push_back({path_.size(), is_array});
    return true;
  }
  bool close() {
    path_.resize(levels_.back().path_size);
    levels_.pop_back();
    return true;
  }
  bool stop(std::string why) {
    if (why_.empty()) why_ = std::move(why);
    return false;
  }

  Record& record_;
  std::string path_;
  std::vector<Level> levels_;
  std::size_t values_ = 0;
  std::string why_;
};

}  // namespace

Result<Record> Record::from_json(std::string_view json) {
  Record record;
  Flattener flattener(record);
  try {
    if (!nlohmann::json::sax_parse(json, &flattener)) {
      return Status(Code::kInvalid, flattener.why().empty() ? "not JSON" : flattener.why());
    }
  } catch (const std::exception& error) {  // out of range numbers, out of memory
    return Status(Code::kInvalid, error.what());
  }
  if (Status status = record.seal(); !status.ok()) return status;
  return record;
}

Status Record::seal() {
  std::sort(fields_.begin(), fields_.end(),
            [](const Field& a, const Field& b) { return a.path < b.path; });
  const auto twin =
      std::adjacent_find(fields_.begin(), fields_.end(),
                         [](const Field& a, const Field& b) { return a.path == b.path; });
  if (twin != fields_.end()) return {Code::kInvalid, "'" + twin->path + "' stands there twice"};
  return {};
}

const Value* Record::find(std::string_view path) const {
  const auto at = std::lower_bound(fields_.begin(), fields_.end(), path,
                                   [](const Field& f, std::string_view p) { return f.path < p; });
  return at != fields_.end() && at->path == path ? &at->value : nullptr;
}

bool Record::has_below(std::string_view path) const {
  if (find(path) != nullptr) return true;
  const std::string prefix = std::string(path) + ".";
  const auto at = std::lower_bound(fields_.begin(), fields_.end(), prefix,
                                   [](const Field& f, const std::string& p) { return f.path < p; });
  return at != fields_.end() && at->path.compare(0, prefix.size(), prefix) == 0;
}

std::string Record::paths(std::size_t limit) const {
  std::string out;
  for (std::size_t i = 0; i < fields_.size() && i < limit; ++i) {
    if (i != 0) out += ", ";
    out += fields_[i].path;
  }
  if (fields_.size() > limit) out += ", ...";
  return out.empty() ? "nothing" : out;
}

}  // namespace rhizome::importer
