#!/bin/sh
# Letters by the agent's HTTP API, with curl.
#
#     letters.sh send MESSAGE-ID RECIPIENT TITLE FILE    send a letter, wait until it is delivered
#     letters.sh receive FOLDER                          take in the letters that wait, register each
#
# The agent's address, the body and its token come from the environment: EXCHANGE_API, EXCHANGE_BODY,
# EXCHANGE_TOKEN. Words given here stand in JSON as they are: without " and \.
set -eu

# The token is told by standard input: what stands in the command line everybody on the machine can read.
call() {
    path=$1
    shift
    printf 'header = "Authorization: Bearer %s"\n' "$EXCHANGE_TOKEN" |
        curl --silent --show-error --fail-with-body --max-time 90 --config - "$@" \
            "$EXCHANGE_API/v1/bodies/$EXCHANGE_BODY$path"
}

post() {
    call "$1" --header "Content-Type: application/json" --data-binary "@$2"
}

# Repeated after a crash, with the same message id and file, it sends nothing twice.
send() {
    document=$(mktemp)
    trap 'rm -f "$document"' EXIT
    {
        printf '{"message_id": "%s", "recipients": ["%s"], "title": "%s", ' "$1" "$2" "$3"
        printf '"files": [{"name": "%s", "content": "' "$(basename "$4")"
        base64 "$4" | tr -d '\n'
        printf '"}]}'
    } >"$document"
    post /letters "$document" >/dev/null
    until call "/letters/$1" | grep -q '"event":"delivered"'; do
        sleep 1
    done
    echo "$1 delivered"
}

# The cursor is kept beside the letters: what was taken in is not asked for again.
receive() {
    cursor=$(cat "$1/cursor" 2>/dev/null || echo 0)
    call "/inbox?after=$cursor&wait=30" >"$1/page"
    grep -o '"id":"[0-9a-f]*"\|"files":[0-9]*' "$1/page" | tr -d '"' | cut -d : -f 2 | while read -r id && read -r files; do
        call "/inbox/$id" >"$1/$id.json"
        number=0
        while [ "$number" -lt "$files" ]; do
            call "/inbox/$id/files/$number" >"$1/$id.$number"
            number=$((number + 1))
        done
        printf '{"message_type": "receipt", "event": "registered", "event_time": "%s", ' "$(date -u +%FT%TZ)" >"$1/receipt"
        printf '"reg_number": "IN-%.8s", "reg_date": "%s"}' "$id" "$(date -u +%F)" >>"$1/receipt"
        post "/inbox/$id/receipts" "$1/receipt" >/dev/null
        echo "$id registered"
    done
    sed 's/.*"cursor":\([0-9]*\).*/\1/' "$1/page" >"$1/cursor"
}

"$@"
