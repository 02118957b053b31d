# mbedTLS for WebAssembly: ASN.1 and the signature checks of core/pin, nothing of TLS, from Debian's
# source package with its patches.
set(DOTKEY_MBEDTLS_SOURCE ${DOTKEY_DEPS}/mbedtls CACHE PATH "Source tree of mbedTLS 2.28")
if(NOT EXISTS ${DOTKEY_MBEDTLS_SOURCE}/library)
  execute_process(
    COMMAND ${CMAKE_SOURCE_DIR}/cmake/debian-source.sh mbedtls ${DOTKEY_MBEDTLS_SOURCE}
    COMMAND_ERROR_IS_FATAL ANY)
endif()

set(mbedtls_sources)
foreach(part
    asn1parse asn1write bignum constant_time ecdsa ecp ecp_curves md oid platform platform_util rsa
    rsa_internal sha256 sha512)
  list(APPEND mbedtls_sources ${DOTKEY_MBEDTLS_SOURCE}/library/${part}.c)
endforeach()

add_library(mbedcrypto STATIC ${mbedtls_sources})
target_include_directories(mbedcrypto SYSTEM
  PUBLIC ${DOTKEY_MBEDTLS_SOURCE}/include ${CMAKE_SOURCE_DIR}/wasm)
target_compile_definitions(mbedcrypto PUBLIC MBEDTLS_CONFIG_FILE="mbedtls_config.h")
target_compile_options(mbedcrypto PRIVATE -w)
