# libsodium for WebAssembly: the parts that core/crypto uses, from Debian's source package with its
# patches. Portable C only. Randomness is not compiled in: wasm/randombytes.c answers for it.
set(DOTKEY_SODIUM_SOURCE ${DOTKEY_DEPS}/libsodium CACHE PATH "Source tree of libsodium 1.0.18")
if(NOT EXISTS ${DOTKEY_SODIUM_SOURCE}/src/libsodium)
  execute_process(
    COMMAND ${CMAKE_SOURCE_DIR}/cmake/debian-source.sh libsodium ${DOTKEY_SODIUM_SOURCE}
    COMMAND_ERROR_IS_FATAL ANY)
endif()
set(sodium_root ${DOTKEY_SODIUM_SOURCE}/src/libsodium)

# What configure would write.
set(VERSION 1.0.18)
set(SODIUM_LIBRARY_VERSION_MAJOR 10)
set(SODIUM_LIBRARY_VERSION_MINOR 3)
set(SODIUM_LIBRARY_MINIMAL_DEF "")
configure_file(${sodium_root}/include/sodium/version.h.in
  ${CMAKE_BINARY_DIR}/libsodium/sodium/version.h @ONLY)
configure_file(${sodium_root}/include/sodium/export.h
  ${CMAKE_BINARY_DIR}/libsodium/sodium/export.h COPYONLY)

set(sodium_sources
  crypto_aead/xchacha20poly1305/sodium/aead_xchacha20poly1305.c
  crypto_core/ed25519/core_ed25519.c
  crypto_core/ed25519/ref10/ed25519_ref10.c
  crypto_core/hchacha20/core_hchacha20.c
  crypto_generichash/blake2b/generichash_blake2.c
  crypto_generichash/blake2b/ref/blake2b-compress-ref.c
  crypto_generichash/blake2b/ref/blake2b-ref.c
  crypto_generichash/blake2b/ref/generichash_blake2b.c
  crypto_generichash/crypto_generichash.c
  crypto_hash/sha256/cp/hash_sha256_cp.c
  crypto_hash/sha512/cp/hash_sha512_cp.c
  crypto_onetimeauth/poly1305/donna/poly1305_donna.c
  crypto_onetimeauth/poly1305/onetimeauth_poly1305.c
  crypto_pwhash/argon2/argon2-core.c
  crypto_pwhash/argon2/argon2-encoding.c
  crypto_pwhash/argon2/argon2-fill-block-ref.c
  crypto_pwhash/argon2/argon2.c
  crypto_pwhash/argon2/blake2b-long.c
  crypto_pwhash/argon2/pwhash_argon2i.c
  crypto_pwhash/argon2/pwhash_argon2id.c
  crypto_pwhash/crypto_pwhash.c
  crypto_scalarmult/curve25519/ref10/x25519_ref10.c
  crypto_scalarmult/curve25519/scalarmult_curve25519.c
  crypto_shorthash/crypto_shorthash.c
  crypto_shorthash/siphash24/ref/shorthash_siphash24_ref.c
  crypto_sign/crypto_sign.c
  crypto_sign/ed25519/ref10/keypair.c
  crypto_sign/ed25519/ref10/open.c
  crypto_sign/ed25519/ref10/sign.c
  crypto_sign/ed25519/sign_ed25519.c
  crypto_stream/chacha20/ref/chacha20_ref.c
  crypto_stream/chacha20/stream_chacha20.c
  crypto_verify/sodium/verify.c
  sodium/codecs.c
  sodium/core.c
  sodium/runtime.c
  sodium/utils.c)
list(TRANSFORM sodium_sources PREPEND ${sodium_root}/)

add_library(sodium STATIC ${sodium_sources} ${CMAKE_SOURCE_DIR}/wasm/randombytes.c)
target_include_directories(sodium SYSTEM
  PUBLIC ${CMAKE_BINARY_DIR}/libsodium ${sodium_root}/include
  PRIVATE ${CMAKE_BINARY_DIR}/libsodium/sodium ${sodium_root}/include/sodium)
target_compile_definitions(sodium
  PUBLIC SODIUM_STATIC=1
  PRIVATE CONFIGURED=1 DEV_MODE=0 HAVE_STDINT_H=1 HAVE_INTTYPES_H=1 NATIVE_LITTLE_ENDIAN=1
    HAVE_WEAK_SYMBOLS=1 HAVE_C_VARARRAYS=1)
target_compile_options(sodium PRIVATE -w -fno-strict-aliasing -O3)
add_library(PkgConfig::sodium ALIAS sodium)
