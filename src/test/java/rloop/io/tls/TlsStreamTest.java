package rloop.io.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import rloop.ffi.Memory;
import rloop.openssl.TestSsl;

/** Two ends of a connection in memory. */
final class TlsStreamTest {
  private static final int ROOM = 1 << 20;
  private static final long PLAINTEXT = Memory.allocate(ROOM);
  private static final long CIPHERTEXT = Memory.allocate(ROOM);
  private static final int LARGEST_PLAINTEXT = 16384;

  private TestSsl.End serverEnd;
  private TestSsl.End clientEnd;
  private TlsStream server;
  private TlsStream client;

  @BeforeEach
  void connect() {
    assumeTrue(TestSsl.isAvailable(), "no libssl on this system");
    TestSsl.End[] ends = TestSsl.connected();
    serverEnd = ends[0];
    clientEnd = ends[1];
    server = new TlsStream(serverEnd.ssl());
    client = new TlsStream(clientEnd.ssl());
    server.open();
    client.open();
  }

  private static byte[] random(int size) {
    byte[] data = new byte[size];
    new Random(size).nextBytes(data);
    return data;
  }

  private static void put(long address, byte[] data) {
    for (int i = 0; i < data.length; i++) {
      Memory.putByte(address + i, data[i]);
    }
  }

  private static byte[] get(long address, long size) {
    byte[] data = new byte[(int) size];
    for (int i = 0; i < size; i++) {
      data[i] = Memory.getByte(address + i);
    }
    return data;
  }

  private static byte[] seal(TlsStream from, byte[] data) {
    put(PLAINTEXT, data);
    for (int done = 0; done < data.length; ) {
      int taken = from.encrypt(PLAINTEXT + done, data.length - done);
      assertThat(taken).isPositive();
      done += taken;
    }
    return output(from);
  }

  private static byte[] output(TlsStream from) {
    return get(CIPHERTEXT, from.takeOutput(CIPHERTEXT, ROOM));
  }

  private static byte[] open(TlsStream to, byte[] ciphertext) {
    put(CIPHERTEXT, ciphertext);
    return get(PLAINTEXT, to.decrypt(CIPHERTEXT, ciphertext.length, PLAINTEXT, ROOM));
  }

  @Test
  void what_one_end_encrypts_the_other_decrypts() {
    byte[] data = random(100_000);
    assertThat(open(server, seal(client, data))).isEqualTo(data);
    assertThat(open(client, seal(server, data))).isEqualTo(data);
    assertThat(server.state()).isEqualTo(TlsStream.State.OPEN);
  }

  @Test
  void a_record_takes_no_more_than_a_record_holds() {
    put(PLAINTEXT, random(LARGEST_PLAINTEXT + 1));
    assertThat(client.encrypt(PLAINTEXT, LARGEST_PLAINTEXT + 1)).isEqualTo(LARGEST_PLAINTEXT);
    assertThat(client.pendingOutput()).isLessThanOrEqualTo(TlsStream.LARGEST_RECORD);
  }

  @Test
  void records_may_come_in_pieces_of_any_size() {
    byte[] data = random(40_000);
    byte[] sealed = seal(client, data);
    ByteArrayOutputStream received = new ByteArrayOutputStream();
    Random random = new Random(1);
    for (int start = 0; start < sealed.length; ) {
      int end = Math.min(sealed.length, start + 1 + random.nextInt(3000));
      byte[] piece = new byte[end - start];
      System.arraycopy(sealed, start, piece, 0, piece.length);
      received.writeBytes(open(server, piece));
      start = end;
    }
    assertThat(received.toByteArray()).isEqualTo(data);
  }

  @Test
  void a_goodbye_ends_the_reading_side_and_writing_goes_on() {
    byte[] sealed = seal(client, random(10));
    TestSsl.shutdown(clientEnd);
    byte[] goodbye = output(client);
    assertThat(open(server, sealed)).isEqualTo(random(10));
    assertThat(open(server, goodbye)).isEmpty();
    assertThat(server.state()).isEqualTo(TlsStream.State.ENDED);
    assertThat(seal(server, random(5))).isNotEmpty();
  }

  @Test
  void errors_that_somebody_else_left_are_not_its_own() {
    byte[] sealed = seal(client, random(10));
    TestSsl.shutdown(clientEnd);
    byte[] goodbye = output(client);
    TestSsl.leaveAnError(serverEnd);
    assertThat(open(server, Arrays.copyOf(sealed, 7))).isEmpty();
    assertThat(server.state()).isEqualTo(TlsStream.State.OPEN);
    TestSsl.leaveAnError(serverEnd);
    assertThat(open(server, Arrays.copyOfRange(sealed, 7, sealed.length))).isEqualTo(random(10));
    TestSsl.leaveAnError(serverEnd);
    assertThat(open(server, goodbye)).isEmpty();
    assertThat(server.state()).isEqualTo(TlsStream.State.ENDED);
  }

  @Test
  void a_renegotiation_is_left_to_somebody_else() {
    TestSsl.renegotiate(serverEnd);
    byte[] helloRequest = output(server);
    assertThat(helloRequest).isNotEmpty();
    assertThat(open(client, helloRequest)).isEmpty();
    assertThat(client.state()).isEqualTo(TlsStream.State.HANDED_BACK);
    assertThat(client.pendingOutput()).as("nothing was answered").isZero();
  }

  @Test
  void up_to_1_2_what_came_with_the_handshake_is_left_to_somebody_else() {
    byte[] sealed = seal(client, random(100));
    TlsStream early = new TlsStream(serverEnd.ssl());
    assertThat(early.state()).isEqualTo(TlsStream.State.HANDSHAKE);
    put(CIPHERTEXT, sealed);
    early.feed(CIPHERTEXT, sealed.length);
    early.open();
    assertThat(early.state()).isEqualTo(TlsStream.State.HANDED_BACK);
  }

  @Test
  void a_changed_record_makes_the_connection_fail() {
    byte[] sealed = seal(client, random(100));
    sealed[sealed.length - 1] ^= 1;
    assertThat(open(server, sealed)).isEmpty();
    assertThat(server.state()).isEqualTo(TlsStream.State.FAILED);
    assertThat(server.error()).isNotZero();
    assertThat(server.encrypt(PLAINTEXT, 1)).isZero();
  }

  @Test
  void so_does_the_alert_that_tells_of_it() {
    byte[] sealed = seal(client, random(100));
    sealed[sealed.length - 1] ^= 1;
    assertThat(open(server, sealed)).isEmpty();
    byte[] alert = output(server);
    assertThat(alert).isNotEmpty();
    assertThat(open(client, alert)).isEmpty();
    assertThat(client.state()).isEqualTo(TlsStream.State.FAILED);
    assertThat(client.error()).isNotZero();
  }

  @Test
  void headers_are_recognised_however_they_are_cut() {
    byte[] records = {23, 3, 3, 0, 2, 'a', 'b', 21, 3, 3, 0, 0, 22, 3, 3, 0, 1, 0};
    int handshake = 12;
    for (int step = 1; step <= records.length; step++) {
      RecordHeaders headers = new RecordHeaders();
      put(PLAINTEXT, records);
      boolean areData = true;
      for (int start = 0; start < records.length && areData; start += step) {
        int size = Math.min(step, records.length - start);
        areData = headers.areOfDataOrAlerts(PLAINTEXT + start, size);
        assertThat(areData).isEqualTo(start + size <= handshake);
      }
      assertThat(areData).isFalse();
    }
  }
}
