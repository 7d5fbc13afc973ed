-- OpenDKIM's miltertest as the MTA: another implementation of the protocol's other side. `port` is set by -D.
local function expect(name, failed, conn, reply)
	if failed ~= nil then error(name .. " failed: " .. failed) end
	if reply ~= nil and mt.getreply(conn) ~= reply then error(name .. ": unexpected reply " .. mt.getreply(conn)) end
end

local function envelope(conn, sender)
	mt.macro(conn, SMFIC_MAIL, "i", "4XyZ")
	expect("mail", mt.mailfrom(conn, "<" .. sender .. ">"), conn)
	return mt.getreply(conn)
end

local function message(conn, ask)
	expect("from", mt.header(conn, "From", "an@example.org"), conn)
	expect("subject", mt.header(conn, "Subject", "Letter"), conn)
	expect("ask", mt.header(conn, "X-Ask", ask), conn)
	expect("eoh", mt.eoh(conn), conn)
	expect("body", mt.bodystring(conn, "text\r\n"), conn)
	expect("eom", mt.eom(conn), conn)
	return mt.getreply(conn)
end

conn = mt.connect("inet:" .. port .. "@127.0.0.1")
if conn == nil then error("no connection") end
expect("connect", mt.conninfo(conn, "client.example.org", "198.51.100.7"), conn, SMFIR_CONTINUE)
expect("helo", mt.helo(conn, "client.example.org"), conn)

if envelope(conn, "evil@example.org") ~= SMFIR_REPLYCODE then error("the sender is not refused") end

if envelope(conn, "an@example.org") ~= SMFIR_CONTINUE then error("the sender is refused") end
expect("rcpt", mt.rcptto(conn, "<closed@example.gov.vn>"), conn, SMFIR_REPLYCODE)
expect("rcpt", mt.rcptto(conn, "<binh@example.gov.vn>"), conn, SMFIR_CONTINUE)
if message(conn, "nothing") ~= SMFIR_ACCEPT then error("clean mail is not accepted") end
if not mt.eom_check(conn, MT_HDRINSERT, "X-Mailwarden") then error("no field on top") end
if mt.eom_check(conn, MT_BODYCHANGE) then error("the body is changed") end

if envelope(conn, "an@example.org") ~= SMFIR_CONTINUE then error("a second message is refused") end
expect("rcpt", mt.rcptto(conn, "<binh@example.gov.vn>"), conn, SMFIR_CONTINUE)
if message(conn, "refuse") ~= SMFIR_REPLYCODE then error("bad mail is not refused") end

if envelope(conn, "an@example.org") ~= SMFIR_CONTINUE then error("a third message is refused") end
expect("rcpt", mt.rcptto(conn, "<binh@example.gov.vn>"), conn, SMFIR_CONTINUE)
if message(conn, "mark") ~= SMFIR_ACCEPT then error("marked mail is not accepted") end
if not mt.eom_check(conn, MT_HDRCHANGE, "Subject") then error("the subject is not changed") end
if not mt.eom_check(conn, MT_BODYCHANGE) then error("no banner") end

if envelope(conn, "an@example.org") ~= SMFIR_CONTINUE then error("a fourth message is refused") end
expect("rcpt", mt.rcptto(conn, "<binh@example.gov.vn>"), conn, SMFIR_CONTINUE)
if message(conn, "keep") ~= SMFIR_DISCARD then error("kept mail is not discarded at the MTA") end
mt.disconnect(conn)
