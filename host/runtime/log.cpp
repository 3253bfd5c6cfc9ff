// Log over spdlog: it brings time stamps, thread safety and the console; the fields are ours.
#include "runtime/log.hpp"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <mutex>
#include <span>

#include "runtime/line_writer.hpp"

namespace rhizome {

namespace {

// Hands each message on, without time or level: what a test wants to see.
class FunctionSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FunctionSink(std::function<void(std::string_view)> function)
      : function_(std::move(function)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    function_(std::string_view(message.payload.data(), message.payload.size()));
  }
  void flush_() override {}

  std::function<void(std::string_view)> function_;
};

// Whole lines, as spdlog formats them, to a LineWriter.
class WriterSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit WriterSink(int descriptor) : writer(descriptor) {}
  LineWriter writer;

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    writer.write(std::string_view(line.data(), line.size()));
  }
  void flush_() override {}
};

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// Control characters, quotes and backslashes as JSON escapes them, in both formats: a peer's text
// must not be able to forge a line.
void append_quoted(std::string_view text, std::string& out) {
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

bool is_plain(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '\\' || c == '=') return false;
  return true;
}

}  // namespace

struct Log::State {
  Format format;
  std::shared_ptr<WriterSink> sink;  // null: a function
  spdlog::logger logger;

  void write(LogLevel level, std::string_view event, std::span<const LogField> fields);
};

Log::Log(LogLevel level, Format format, int descriptor) {
  auto sink = std::make_shared<WriterSink>(descriptor);
  state_.reset(new State{format, sink, spdlog::logger("rhizome", sink)});
  state_->logger.set_level(to_spdlog(level));
  state_->logger.set_pattern(format == Format::kJson
                                 ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                                 : "%Y-%m-%dT%H:%M:%S.%eZ %-7l %v",
                             spdlog::pattern_time_type::utc);
}

Log::Log(LogLevel level, Format format, std::function<void(std::string_view)> sink)
    : state_(
          new State{format, nullptr,
                    spdlog::logger("rhizome", std::make_shared<FunctionSink>(std::move(sink)))}) {
  state_->logger.set_level(to_spdlog(level));
}

Log::~Log() = default;

void Log::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (!state_->logger.should_log(to_spdlog(level))) return;
  report_drops();
  state_->write(level, event, {fields.begin(), fields.size()});
}

void Log::drain() {
  if (state_->sink == nullptr) return;
  state_->sink->writer.drain();
  report_drops();
}

Log::Stats Log::stats() const {
  if (state_->sink == nullptr) return {};
  const LineWriter::Stats stats = state_->sink->writer.stats();
  return {stats.dropped, stats.waiting_bytes};
}

void Log::report_drops() {
  if (state_->sink == nullptr) return;
  const std::uint64_t dropped = state_->sink->writer.take_unreported();
  if (dropped == 0) return;
  const LogField lines{"lines", std::to_string(dropped)};
  state_->write(LogLevel::kWarn, "log.dropped", {&lines, 1});
}

void Log::State::write(LogLevel level, std::string_view event, std::span<const LogField> fields) {
  const bool json = format == Format::kJson;
  std::string line;
  if (json) {
    line += "\"event\":";
    append_quoted(event, line);
  } else {
    line += event;
  }
  for (const LogField& field : fields) {
    line += json ? ",\"" : " ";
    line += field.key;
    line += json ? "\":" : "=";
    if (!json && is_plain(field.value)) {
      line += field.value;
    } else {
      append_quoted(field.value, line);
    }
  }
  logger.log(to_spdlog(level), "{}", line);
}

}  // namespace rhizome
