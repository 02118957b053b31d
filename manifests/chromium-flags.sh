# Debian's Chromium reads this file from /etc/chromium.d. With the feature an extension sees which
# certificate the browser itself got, and dotkey compares it with the one that the key names.
export CHROMIUM_FLAGS="$CHROMIUM_FLAGS --enable-features=WebRequestSecurityInfo"
