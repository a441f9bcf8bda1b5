// Plain JPEG files to rows of 8-bit RGB with the system's libjpeg-turbo: an addon of its own, without
// LibTorch, which any number of JavaScript threads may load. One file at a time in each.
//
// It decodes what every decoder of the libjpeg family decodes to the same bytes (slow integer transform,
// smooth upsampling) and says false of all else, also of files with the least defect: those go to sharp,
// whose judgement counts.
//
// What JavaScript sees of it is typed in src/data/images/jpegAddon.ts, the only file that loads it.
#include <node_api.h>

#include <csetjmp>
#include <cstdio>
#include <new>

#include <jpeglib.h>

#ifndef LIBJPEG_TURBO_VERSION
#error "expected libjpeg-turbo's headers: other libraries of this name scale chroma to other pixels"
#endif

// 2.1.5 without quotes, in jconfig.h.
#define JPEG_TEXT(value) #value
#define JPEG_TEXT_OF(value) JPEG_TEXT(value)
#define JPEG_VERSION JPEG_TEXT_OF(LIBJPEG_TURBO_VERSION)

namespace {

/// Progressive files have some ten scans; ones of thousands would take minutes.
constexpr int kMostScans = 64;

struct Decoder {
  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf failed;
  /// Keeps the file's bytes alive while it is decoded.
  napi_ref file = nullptr;
};

Decoder* decoder_of(j_common_ptr info) { return static_cast<Decoder*>(info->client_data); }

[[noreturn]] void fail(j_common_ptr info) { std::longjmp(decoder_of(info)->failed, 1); }

void count_warning(j_common_ptr info, int level) {
  if (level < 0) info->err->num_warnings++;
}

void print_nothing(j_common_ptr) {}

void limit_scans(j_common_ptr info) {
  if (decoder_of(info)->info.input_scan_number > kMostScans) fail(info);
}

/// Ready for the next file.
void let_go(napi_env env, Decoder& decoder) {
  jpeg_abort_decompress(&decoder.info);
  if (decoder.file) napi_delete_reference(env, decoder.file);
  decoder.file = nullptr;
}

// What follows between setjmp and longjmp has no destructors to run.

bool start(Decoder& decoder, const unsigned char* bytes, size_t length, unsigned width, unsigned height) {
  if (setjmp(decoder.failed)) return false;
  jpeg_decompress_struct& info = decoder.info;
  info.err->num_warnings = 0;
  jpeg_mem_src(&info, bytes, static_cast<unsigned long>(length));
  jpeg_read_header(&info, TRUE);
  J_COLOR_SPACE space = info.jpeg_color_space;
  bool colour = info.num_components == 3 && (space == JCS_YCbCr || space == JCS_RGB);
  bool grey = info.num_components == 1 && space == JCS_GRAYSCALE;
  if (info.data_precision != 8 || info.arith_code || !(colour || grey)) return false;
  if (info.image_width != width || info.image_height != height) return false;
  info.out_color_space = JCS_RGB;
  info.dct_method = JDCT_ISLOW;
  info.do_fancy_upsampling = TRUE;
  info.progress = &decoder.progress;
  return jpeg_start_decompress(&info) && info.output_components == 3 && info.err->num_warnings == 0;
}

bool read_rows(Decoder& decoder, unsigned char* target, size_t stride, unsigned count) {
  constexpr unsigned kAtOnce = 16;
  if (setjmp(decoder.failed)) return false;
  JSAMPROW rows[kAtOnce];
  for (unsigned done = 0; done < count;) {
    unsigned some = count - done < kAtOnce ? count - done : kAtOnce;
    for (unsigned row = 0; row < some; row++) rows[row] = target + (done + row) * stride;
    unsigned got = jpeg_read_scanlines(&decoder.info, rows, some);
    if (got == 0) return false;
    done += got;
  }
  return decoder.info.err->num_warnings == 0;
}

bool finish(Decoder& decoder) {
  if (setjmp(decoder.failed)) return false;
  if (decoder.info.output_scanline < decoder.info.output_height) return false;
  return jpeg_finish_decompress(&decoder.info) && decoder.info.err->num_warnings == 0;
}

struct Call {
  napi_env env;
  napi_value values[3];
  Decoder* decoder;
};

bool read_call(napi_env env, napi_callback_info info, Call& call) {
  size_t count = 3;
  void* data;
  call.env = env;
  if (napi_get_cb_info(env, info, &count, call.values, nullptr, &data) != napi_ok) return false;
  call.decoder = static_cast<Decoder*>(data);
  return true;
}

bool bytes_of(const Call& call, unsigned char*& data, size_t& length) {
  napi_typedarray_type type;
  void* start;
  napi_status status = napi_get_typedarray_info(call.env, call.values[0], &type, &length, &start, nullptr, nullptr);
  data = static_cast<unsigned char*>(start);
  return status == napi_ok && type == napi_uint8_array;
}

bool number_of(const Call& call, size_t index, uint32_t& number) {
  return napi_get_value_uint32(call.env, call.values[index], &number) == napi_ok;
}

napi_value answer(napi_env env, bool value) {
  napi_value result = nullptr;
  napi_get_boolean(env, value, &result);
  return result;
}

napi_value misuse(napi_env env, const char* expected) {
  napi_throw_type_error(env, "JPEG", expected);
  return nullptr;
}

// begin(file, width, height): whether it is a file of that size for this decoder, whose rows may be read.
napi_value begin(napi_env env, napi_callback_info info) {
  Call call;
  unsigned char* data;
  size_t length;
  uint32_t width, height;
  if (!read_call(env, info, call) || !bytes_of(call, data, length) || !number_of(call, 1, width) || !number_of(call, 2, height)) {
    return misuse(env, "expected a Uint8Array, a width and a height");
  }
  let_go(env, *call.decoder);
  if (napi_create_reference(env, call.values[0], 1, &call.decoder->file) != napi_ok) return misuse(env, "expected room for a reference");
  if (start(*call.decoder, data, length, width, height)) return answer(env, true);
  let_go(env, *call.decoder);
  return answer(env, false);
}

// read(target, stride, count): the next rows, each `stride` bytes after the one before; false where the
// file is damaged.
napi_value read(napi_env env, napi_callback_info info) {
  Call call;
  unsigned char* data;
  size_t length;
  uint32_t stride, count;
  if (!read_call(env, info, call) || !bytes_of(call, data, length) ||
      !number_of(call, 1, stride) || !number_of(call, 2, count)) {
    return misuse(env, "expected a Uint8Array, a stride and a number of rows");
  }
  Decoder& decoder = *call.decoder;
  if (!decoder.file) return misuse(env, "expected a file that was begun");
  size_t row = static_cast<size_t>(decoder.info.output_width) * 3;
  if (stride < row || (count > 0 && (count - 1) * static_cast<size_t>(stride) + row > length)) {
    return misuse(env, "expected room for the rows");
  }
  if (count > decoder.info.output_height - decoder.info.output_scanline) return misuse(env, "expected no more rows than there are");
  return answer(env, read_rows(decoder, data, stride, count));
}

// end(): whether the file was whole and flawless, all rows having been read.
napi_value end(napi_env env, napi_callback_info info) {
  Call call;
  if (!read_call(env, info, call)) return nullptr;
  bool whole = call.decoder->file && finish(*call.decoder);
  let_go(env, *call.decoder);
  return answer(env, whole);
}

void destroy(napi_env, void* data, void*) {
  Decoder* decoder = static_cast<Decoder*>(data);
  jpeg_destroy_decompress(&decoder->info);
  delete decoder;
}

}  // namespace

NAPI_MODULE_INIT() {
  Decoder* decoder = new (std::nothrow) Decoder;
  if (!decoder) return misuse(env, "expected memory for a decoder");
  jpeg_decompress_struct& info = decoder->info;
  info.err = jpeg_std_error(&decoder->errors);
  decoder->errors.error_exit = fail;
  decoder->errors.emit_message = count_warning;
  decoder->errors.output_message = print_nothing;
  decoder->progress.progress_monitor = limit_scans;
  info.client_data = decoder;
  if (setjmp(decoder->failed)) {
    delete decoder;
    return misuse(env, "expected the libjpeg that this was built for");
  }
  jpeg_create_decompress(&info);
  info.client_data = decoder;
  if (napi_set_instance_data(env, decoder, destroy, nullptr) != napi_ok) return nullptr;
  const struct {
    const char* name;
    napi_callback callback;
  } functions[] = {{"begin", begin}, {"read", read}, {"end", end}};
  for (const auto& [name, callback] : functions) {
    napi_value function;
    if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, decoder, &function) == napi_ok) {
      napi_set_named_property(env, exports, name, function);
    }
  }
  napi_value version;
  if (napi_create_string_utf8(env, JPEG_VERSION, NAPI_AUTO_LENGTH, &version) == napi_ok) {
    napi_set_named_property(env, exports, "version", version);
  }
  return exports;
}
